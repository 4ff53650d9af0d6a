import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseMirrorSettings, readMirrorSettings } from '../../src/cli/mirror/mirror-settings.ts'
import { changeKinds, defaultRemovalLimits } from '../../src/mirror/change-kinds.ts'
import { defaultChangePolicy } from '../../src/mirror/mirror-settings.ts'
import { caught } from '../support/caught.ts'

const defaults = {
  sync: { changePolicy: defaultChangePolicy, removalLimits: defaultRemovalLimits },
  watch: { syncEveryMs: 600_000, all: false },
}

describe('the settings of a mirror', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tufgate-settings-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  test('are the defaults where there is no mirror.toml', () => {
    expect(readMirrorSettings(folder)).toEqual(defaults)
  })

  test('are read from mirror.toml in its folder', async () => {
    const text = '[changes]\nlate-file = "sign"\nyanked = "hold"\n[removals]\nfile-percent = 10\n'
    await writeFile(join(folder, 'mirror.toml'), text)
    expect(readMirrorSettings(folder).sync).toEqual({
      changePolicy: { ...defaultChangePolicy, 'late-file': 'sign', yanked: 'hold' },
      removalLimits: { ...defaultRemovalLimits, fileShare: 0.1 },
    })
  })

  test('say how often a watch works, and at what', () => {
    const text = '[watch]\nsync-every = "30 min"\nrenew-every = "1h"\nall = true\n'
    const { watch } = parseMirrorSettings(text, 'mirror.toml')
    expect(watch).toEqual({ syncEveryMs: 1_800_000, renewEveryMs: 3_600_000, all: true })
  })

  test('stand complete, with their defaults, in proxy-config/mirror.toml', async () => {
    const text = await readFile('proxy-config/mirror.toml', 'utf8')
    expect(parseMirrorSettings(text, 'mirror.toml')).toEqual(defaults)
    const keys = [...text.matchAll(/^(?:# )?([\w-]+) = /gm)].map(([, key]) => key)
    const removals = ['files', 'file-percent', 'projects', 'project-percent']
    const watch = ['sync-every', 'renew-every', 'all']
    expect(new Set(keys)).toEqual(new Set(['credentials', ...changeKinds, ...removals, ...watch]))
  })

  test.each([
    [
      '[changes]\nlate-fiel = "sign"',
      'mirror.toml, line 2: changes.late-fiel is not a setting.',
      'Did you mean "late-file"?',
    ],
    [
      '[change]\nlate-file = "sign"',
      'mirror.toml: change is not a setting.',
      'Did you mean "changes"?',
    ],
    [
      '[changes]\n\nlate-file = "ask"',
      'mirror.toml, line 3: changes.late-file: expected "sign", "warn" or "hold".',
      'proxy-config/mirror.toml shows every setting with its default.',
    ],
    [
      '[removals]\nproject-percent = 0.05',
      'mirror.toml, line 2: removals.project-percent: expected a whole number of percent.',
      'proxy-config/mirror.toml shows every setting with its default.',
    ],
    [
      '[watch]\nsync-every = "1s"',
      'mirror.toml, line 2: watch.sync-every: expected a duration of at least 10s, such as "10min" or "1h".',
      'proxy-config/mirror.toml shows every setting with its default.',
    ],
    [
      '[watch]\nsync-evry = "1h"',
      'mirror.toml, line 2: watch.sync-evry is not a setting.',
      'Did you mean "sync-every"?',
    ],
    [
      '[changes]\nlate-file = sign',
      'mirror.toml, line 2: Invalid TOML document: invalid value (text needs quotes)',
      undefined,
    ],
  ])('refuse %j', (text, message, next) => {
    const error = caught(() => parseMirrorSettings(text, 'mirror.toml'))
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', message })
    if (next !== undefined) expect(error).toMatchObject({ facts: { next } })
  })

  test('never let another hash be signed', () => {
    const error = caught(() =>
      parseMirrorSettings('[changes]\nhash-changed = "sign"', 'mirror.toml'),
    )
    expect(error).toMatchObject({
      code: 'CONFIG_INVALID',
      message:
        'mirror.toml, line 2: changes.hash-changed: expected "warn" or "hold": another hash for a signed file is never signed.',
    })
  })
})
