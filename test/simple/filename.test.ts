import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseFilename } from '../../src/simple/filename.ts'

describe('file names', () => {
  it.each([
    ['foo-1.0-py3-none-any.whl', 'foo', 'wheel', '1.0'],
    ['foo_bar-1.0-2local-cp39-cp39-linux_x86_64.whl', 'foo-bar', 'wheel', '1.0'],
    ['Foo.Bar-1!1.0+loc.al-py3-none-any.whl', 'foo-bar', 'wheel', '1!1.0+loc.al'],
    ['foo-1.0_1-py2.py3-none-any.whl', 'foo', 'wheel', '1.0-1'],
    ['pytz-2004b_2-py3-none-any.whl', 'pytz', 'wheel', '2004b_2'],
    ['foo_bar-1.0.tar.gz', 'foo-bar', 'sdist', '1.0'],
    ['foo-bar-1.0.tar.gz', 'foo-bar', 'sdist', '1.0'],
    ['foo-bar-1.0.tar.gz', 'foo', 'sdist', undefined],
    ['foo.bar-1.0-1.zip', 'foo-bar', 'sdist', '1.0-1'],
    ['foo-1.0-beta-2.tar.bz2', 'foo', 'sdist', '1.0-beta-2'],
    ['foo-1.0-r12x.tgz', 'foo', 'sdist', '1.0-r12x'],
    ['foo-1.0.tar.xz', 'foo', 'sdist', '1.0'],
    ['foo-1.0.tar.Z', 'foo', 'sdist', '1.0'],
    ['foo-1.0.linux-x86_64.tar.gz', 'foo', 'binary', '1.0'],
    ['foo-1.0.macosx-10.9-x86_64.zip', 'foo', 'binary', '1.0'],
    ['foo_bar-1.0-py2.7.egg', 'foo-bar', 'egg', '1.0'],
    ['foo-1.0_r12x-py2.7-linux-x86_64.egg', 'foo', 'egg', '1.0-r12x'],
    ['foo-1.0.win32-py2.7.exe', 'foo', 'installer', '1.0'],
    ['foo-1.0.win-amd64.msi', 'foo', 'installer', '1.0'],
    ['foo-1.0.macosx-10.9-intel.dmg', 'foo', 'installer', '1.0'],
    ['foo-bar-1.0-1.noarch.rpm', 'foo-bar', 'package', '1.0'],
    ['foo-1.0-1.src.rpm', 'foo', 'package', '1.0'],
    ['foo_1.0-1_all.deb', 'foo', 'package', '1.0'],
    ['foo-1.0-variants.json', 'foo', 'other', undefined],
    ['foo-1.0.tar.gz.asc', 'foo', 'other', undefined],
    ['constructor-1.0.tar.gz', 'constructor', 'sdist', '1.0'],
  ])('reads %s of %s as %s, version %s', (filename, project, kind, version) => {
    const name = parseFilename(filename, project)
    expect(name.kind).toBe(kind)
    expect(name.version).toBe(version)
    expect(name.belongs).toBe(version !== undefined || kind === 'other')
  })

  it.each([
    ['a-b-1.0.tar.gz', 'a', 'A19: the sdist of a-b'],
    ['a_b-1.0.tar.gz', 'a', 'A19: the same as PEP 625 writes it'],
    ['a-2-1.0.tar.gz', 'a', 'A19: the sdist of a-2'],
    ['a-2-1.0.win32.exe', 'a', 'A19: the installer of a-2'],
    ['a-2-1.0-variants.json', 'a', 'A19: a file of a-2 of an unknown kind'],
    ['a_b-1.0-py3-none-any.whl', 'a', 'A19: the wheel of a-b'],
    ['a-b-1.0-py3-none-any.whl', 'a', 'A19: the wheel of a-b, written wrongly'],
    ['a-1.0.tar.gz', 'a-b', 'the sdist of a'],
    ['ab-1.0.tar.gz', 'a', 'a longer name'],
    ['foo.tar.gz', 'foo', 'no version'],
    ['foo-.tar.gz', 'foo', 'an empty version'],
    ['-1.0.tar.gz', 'foo', 'no name'],
    ['foo-1.0-py3-none.whl', 'foo', 'four parts'],
    ['foo-1.0-1-2-py3-none-any.whl', 'foo', 'seven parts'],
    ['foo-1.0-x1-py3-none-any.whl', 'foo', 'a build tag that is none'],
    ['foo-1.0--none-any.whl', 'foo', 'an empty tag'],
    ['foo-dev.tar.gz', 'foo', 'no number in front'],
    ['.whl', 'foo', 'nothing but an extension'],
    ['', 'foo', 'nothing'],
    ['__proto__-1.0.tar.gz', 'proto', 'separators around the name'],
  ])('does not take %s for a file of %s: %s', (filename, project) => {
    expect(parseFilename(filename, project).belongs).toBe(false)
  })

  it('never throws, whatever the name', () => {
    const extensions = ['.whl', '.tar.gz', '.zip', '.egg', '.exe', '.rpm', '.deb', '.dmg', '']
    const names = fc
      .tuple(fc.string({ unit: 'binary', maxLength: 40 }), fc.constantFrom(...extensions))
      .map(([stem, extension]) => `foo-${stem}${extension}`)
    fc.assert(
      fc.property(names, (name) => {
        const { belongs, version } = parseFilename(name, 'foo')
        if (version !== undefined) expect(belongs).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  it('reads a whole page of names with a run of hyphens in the name of the project in one pass each', () => {
    // With a new try at each hyphen this took a minute, in which the proxy answered nobody.
    const stem = `a${'-'.repeat(480)}b`
    let belonging = 0
    for (let at = 0; at < 200_000; at += 1) {
      if (parseFilename(`${stem}-${at}.tar.gz`, 'a-b').belongs) belonging += 1
    }
    expect(belonging).toBe(200_000)
  }, 15_000)

  it('reads a name of nothing but separators without going over it again and again', () => {
    expect(parseFilename(`${'a-'.repeat(250)}.tar.gz`, 'a').belongs).toBe(false)
    expect(parseFilename(`foo-${'1.'.repeat(250)}tar.gz`, 'foo').belongs).toBe(true)
    expect(parseFilename(`foo-${'.linux'.repeat(80)}.tar.gz`, 'foo').belongs).toBe(false)
  })
})
