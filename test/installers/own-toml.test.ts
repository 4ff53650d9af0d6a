import { parse } from 'smol-toml'
import { describe, expect, test } from 'vitest'
import { DecodeError } from '../../src/base/decode.ts'
import { buildOwnPdmToml, buildOwnUvToml } from '../../src/installers/own-toml.ts'

const file = (text: string, isProject = false) => ({ text, isProject })

describe('a uv.toml for one command', () => {
  test('is empty without any other', () => {
    expect(buildOwnUvToml([])).toEqual({ text: '\n', leftOut: [] })
  })

  test('keeps what is harmless, the nearest file first, lists one behind the other', () => {
    const { text } = buildOwnUvToml([
      file('resolution = "lowest"\nno-build-package = ["a"]\n[pip]\nstrict = true\n'),
      file(
        'resolution = "highest"\nno-build-package = ["b"]\noffline = false\n[pip]\nstrict = false\nall-extras = true\n',
      ),
    ])
    expect(parse(text)).toEqual({
      resolution: 'lowest',
      'no-build-package': ['a', 'b'],
      offline: false,
      pip: { strict: true, 'all-extras': true },
    })
  })

  test('leaves out what leads past the proxy', () => {
    const { text, leftOut } = buildOwnUvToml([
      file(
        'extra-index-url = ["https://a.example/"]\nexclude-newer = "2026-01-01"\n[[index]]\nname = "a"\nurl = "https://a.example/"\n[pip]\nfind-links = ["https://a.example/"]\n',
      ),
    ])
    expect(parse(text)).toEqual({ 'exclude-newer': '2026-01-01', pip: {} })
    expect(leftOut).toEqual(['extra-index-url', 'index', 'pip.find-links'])
  })

  test('takes of a project only what a uv.toml may hold', () => {
    const project =
      '[project]\nname = "x"\n[tool.uv]\nprerelease = "allow"\npackage = true\n[tool.uv.sources]\na = { git = "https://a.example/a" }\n[[tool.uv.index]]\nurl = "https://a.example/"\n'
    const { text, leftOut } = buildOwnUvToml([file(project, true)])
    expect(parse(text)).toEqual({ prerelease: 'allow' })
    expect(leftOut).toEqual(['index'])
  })

  test('says in which line a file is no TOML', () => {
    expect(() => buildOwnUvToml([file('a = 1\nb =\n')])).toThrow(/^line 2: /)
  })
})

describe('a config.toml of pdm for one command', () => {
  test('keeps all but the indexes', () => {
    const { text, leftOut } = buildOwnPdmToml(
      '[pypi]\nurl = "https://a.example/"\nverify_ssl = false\n[pypi.extra]\nurl = "https://b.example/"\n[venv]\nin_project = false\n',
    )
    expect(parse(text)).toEqual({ venv: { in_project: false } })
    expect(leftOut).toEqual(['pypi.url', 'pypi.extra'])
  })

  test('is refused where it is so deep that it could not be written again', () => {
    const deep = `[pypi]\nurl = "https://a.example/"\n[x${'.y'.repeat(2000)}]\nz = 1\n`
    expect(() => buildOwnPdmToml(deep)).toThrow(DecodeError)
  })
})
