import { describe, expect, test } from 'vitest'
import { classifyRest, type Untraced } from '../../src/installed/classify-rest.ts'
import { compareWheel, type SignedWheel } from '../../src/installed/compare-wheel.ts'
import type { DiskFile } from '../../src/installed/disk.ts'
import type { Distribution } from '../../src/installed/distribution.ts'
import { Findings, sortFindings } from '../../src/installed/findings.ts'
import { findLayout } from '../../src/installed/layout.ts'
import { sha256 } from '../support/build-wheel.ts'
import { makeDisk } from './memory-disk.ts'

const site = 'lib/python3.11/site-packages'

function distributionOf(name: string, version = '1.0'): Distribution {
  return {
    folder: `${site}/${name}-${version}.dist-info`,
    site,
    name,
    project: name,
    version,
    tags: ['py3-none-any'],
    source: { kind: 'index' },
  }
}

function wheelOf(
  name: string,
  contents: Readonly<Record<string, string>>,
  entryPoints = '',
): SignedWheel {
  const entries = Object.entries(contents).map(
    ([path, text]) =>
      [path, { sha256: sha256(Buffer.from(text)), size: Buffer.byteLength(text) }] as const,
  )
  return {
    filename: `${name}-1.0-py3-none-any.whl`,
    sha256: '',
    files: new Map(entries),
    entryPoints,
  }
}

type Contents = Readonly<Record<string, string | Uint8Array | Partial<DiskFile>>>

async function compare(
  contents: Contents,
  wheels: Readonly<Record<string, SignedWheel>>,
  untraced: readonly Untraced[] = [],
) {
  const disk = makeDisk({ 'pyvenv.cfg': 'home = /usr/bin', ...contents })
  const layout = findLayout(disk.files.keys())!
  const findings = new Findings()
  const comparison = {
    disk,
    layout,
    findings,
    scriptFolders: ['/venv/bin/'],
    pythonHome: '/usr/bin',
  }
  for (const [name, wheel] of Object.entries(wheels))
    await compareWheel(distributionOf(name), wheel, comparison)
  await classifyRest(comparison, untraced, 'header')
  return new Map(sortFindings(findings.all).map((finding) => [finding.path, finding]))
}

const record = { [`${site}/foo-1.0.dist-info/RECORD`]: '' }

describe('files of a wheel', () => {
  test('are the same, changed by size, changed by content, missing, links, not readable', async () => {
    const wheel = wheelOf('foo', {
      'a.py': 'a',
      'b.py': 'b',
      'c.py': 'c',
      'd.py': 'd',
      'e.py': 'e',
      'f.py': 'f',
    })
    const found = await compare(
      {
        ...record,
        [`${site}/a.py`]: 'a',
        [`${site}/b.py`]: 'bb',
        [`${site}/c.py`]: 'C',
        [`${site}/e.py`]: { kind: 'link', target: '/tmp/e.py' },
        [`${site}/f.py`]: { kind: 'unreadable', problem: 'permission denied' },
      },
      { foo: wheel },
    )
    const classes = ['a', 'b', 'c', 'd', 'e', 'f'].map(
      (name) => found.get(`${site}/${name}.py`)?.class,
    )
    expect(classes).toEqual(['same', 'changed', 'changed', 'missing', 'changed', 'unreadable'])
    expect(found.get(`${site}/b.py`)?.reason).toBe('2 bytes, in the wheel 1')
  })

  test('of two wheels with the same path are in order if they are one of the two', async () => {
    const wheels = {
      foo: wheelOf('foo', { 'n/__init__.py': '1' }),
      bar: wheelOf('bar', { 'n/__init__.py': '2' }),
    }
    const records = { ...record, [`${site}/bar-1.0.dist-info/RECORD`]: '' }
    const path = `${site}/n/__init__.py`
    expect((await compare({ ...records, [path]: '1' }, wheels)).get(path)?.class).toBe('same')
    expect((await compare({ ...records, [path]: '2' }, wheels)).get(path)?.class).toBe('same')
    expect((await compare({ ...records, [path]: '3' }, wheels)).get(path)?.class).toBe('changed')
  })

  test('in .data are at the places of their schemes', async () => {
    const wheel = wheelOf('foo', {
      'foo-1.0.data/purelib/p.py': 'p',
      'foo-1.0.data/platlib/q.py': 'q',
      'foo-1.0.data/scripts/s': 's',
      'foo-1.0.data/data/etc/d': 'd',
      'foo-1.0.data/headers/h.h': 'h',
    })
    const found = await compare(
      {
        ...record,
        [`${site}/p.py`]: 'p',
        [`${site}/q.py`]: 'q',
        'bin/s': 's',
        'etc/d': 'd',
        'include/site/python3.11/foo/h.h': 'h',
      },
      { foo: wheel },
    )
    expect(
      [...found.values()].filter(({ class: kind }) => kind !== 'same').map(({ path }) => path),
    ).toEqual([`${site}/foo-1.0.dist-info/RECORD`, 'pyvenv.cfg'])
  })
})

describe('files of no wheel', () => {
  test('are named, those that run by themselves first', async () => {
    const found = await compare(
      {
        ...record,
        [`${site}/z.py`]: '',
        [`${site}/usercustomize/__init__.py`]: '',
        [`${site}/x.cpython-311-x86_64-linux-gnu.so`]: '',
        [`${site}/a.pth`]: '',
        'bin/tool': '',
        [`${site}/old.pyc`]: '',
      },
      { foo: wheelOf('foo', {}) },
    )
    const unknown = [...found.values()].filter(({ class: kind }) => kind === 'unknown')
    expect(unknown.map(({ path }) => path.replace(`${site}/`, ''))).toEqual([
      'a.pth',
      'usercustomize/__init__.py',
      'x.cpython-311-x86_64-linux-gnu.so',
      'bin/tool',
      'old.pyc',
      'z.py',
    ])
  })

  test('whose names differ in case or normal form from signed ones are told so', async () => {
    const found = await compare(
      {
        ...record,
        [`${site}/caf\u00e9.py`]: 'x',
        [`${site}/cafe\u0301.py`]: 'x',
        [`${site}/CAF\u00c9.py`]: 'x',
      },
      { foo: wheelOf('foo', { 'caf\u00e9.py': 'x' }) },
    )
    for (const name of ['cafe\u0301', 'CAF\u00c9']) {
      expect(found.get(`${site}/${name}.py`)).toMatchObject({
        class: 'unknown',
        reason: expect.stringContaining('in case or spelling only') as unknown,
      })
    }
  })

  test('that are no files at all are named, and never opened', async () => {
    const path = `${site}/fifo`
    const found = await compare({ ...record, [path]: { kind: 'other' } }, {})
    expect(found.get(path)).toMatchObject({ class: 'unknown', reason: 'it is no file' })
  })

  test('never become those of a distribution that only claims them, if a wheel has them', async () => {
    const path = `${site}/a.py`
    const untraced = [{ distribution: 'evil 1.0', paths: new Set([path, `${site}/b.py`]) }]
    const found = await compare(
      { ...record, [path]: 'A', [`${site}/b.py`]: '' },
      { foo: wheelOf('foo', { 'a.py': 'a' }) },
      untraced,
    )
    expect(found.get(path)).toMatchObject({ class: 'changed', distribution: 'foo 1.0' })
    expect(found.get(`${site}/b.py`)).toMatchObject({ class: 'untraced', distribution: 'evil 1.0' })
  })
})

describe('byte code', () => {
  const place = `${site}/__pycache__/a.cpython-311.pyc`
  const judge = async (bytes: Buffer, source = 'a') =>
    (
      await compare(
        { ...record, [`${site}/a.py`]: source, [place]: bytes },
        { foo: wheelOf('foo', { 'a.py': 'a' }) },
      )
    ).get(place)

  test('fits by the time and size of its source, which is verified', async () => {
    expect(await judge(header(1000, 1))).toMatchObject({
      class: 'byte-code',
      distribution: 'foo 1.0',
    })
  })

  test.each([
    ['another time', header(1001, 1)],
    ['another size', header(1000, 2)],
    ['a digest that nobody compares', header(1000, 1, 1)],
    ['a digest', header(1000, 1, 3)],
    ['unknown flags', header(1000, 1, 4)],
    ['too little', Buffer.alloc(8)],
  ])('with %s does not', async (_, bytes) => {
    expect(await judge(bytes)).toMatchObject({ class: 'changed' })
  })

  test('of a source that is not verified is unknown, whatever its header says', async () => {
    expect(await judge(header(1000, 1), 'A')).toMatchObject({ class: 'unknown' })
  })
})

function header(mtime: number, size: number, flags = 0): Buffer {
  const bytes = Buffer.alloc(20)
  bytes.writeUInt32LE(flags, 4)
  bytes.writeUInt32LE(mtime, 8)
  bytes.writeUInt32LE(size, 12)
  return bytes
}
