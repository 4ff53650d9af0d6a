import { describe, expect, test } from 'vitest'
import { applyEdits } from '../../src/installers/lock-edit.ts'
import { digestSettings, dropPoetrySources } from '../../src/installers/poetry-lock.ts'

const bare = { name: 'demo', dependencies: { python: '^3.9', idna: '*' } }
const withSource = {
  ...bare,
  source: [{ name: 'tufgate', url: 'http://127.0.0.1:8777/simple/', default: true }],
}

function lockOf(digest: string): string {
  return [
    '[[package]]',
    'name = "idna"',
    'files = [',
    '    {file = "idna-3.20-py3-none-any.whl", hash = "sha256:ab"},',
    ']',
    '',
    '[package.source]',
    'type = "legacy"',
    'url = "http://127.0.0.1:8777/simple"',
    'reference = "tufgate"',
    '',
    '[metadata]',
    'lock-version = "2.0"',
    `content-hash = "${digest}"`,
    '',
  ].join('\n')
}

const isPyPi = (): boolean => true

describe('the digest over pyproject.toml', () => {
  test('is the one that poetry 1.3 writes', () => {
    // Taken from a poetry.lock of poetry 1.3.2 for these settings.
    expect(digestSettings(withSource)).toBe(
      '4cf352d682e515c439e8e4885b6f8be1dd2c8533890260b5ad7ba04d77be60fb',
    )
  })
})

describe('a source that pyproject.toml does not name any more', () => {
  test('goes with its tables, and the digest is renewed where nothing else has changed', () => {
    const lock = lockOf(digestSettings(withSource))
    const dropped = dropPoetrySources(lock, { settings: bare }, isPyPi)
    expect(dropped?.isStale).toBe(false)
    const text = applyEdits(lock, dropped?.edits ?? [])
    expect(text).not.toContain('package.source')
    expect(text).toContain(`content-hash = "${digestSettings(bare)}"`)
    expect(text).toContain('\n]\n\n[metadata]\n')
  })

  test('goes where its address was turned into that of PyPI before, with the digest of the proxy', () => {
    const lock = lockOf(digestSettings(withSource)).replace(
      'http://127.0.0.1:8777/simple',
      'https://pypi.org/simple',
    )
    const proxyUrl = 'http://127.0.0.1:8777/simple'
    const dropped = dropPoetrySources(lock, { settings: bare, proxyUrl }, isPyPi)
    expect(dropped?.isStale).toBe(false)
    expect(applyEdits(lock, dropped?.edits ?? [])).toContain(digestSettings(bare))
    // Another port, as `run` has each time, is not guessed.
    expect(dropPoetrySources(lock, { settings: bare }, isPyPi)?.isStale).toBe(true)
  })

  test('leaves a digest that is not explained by the source: the lock file was stale before', () => {
    const lock = lockOf(digestSettings({ ...withSource, dependencies: { python: '^3.9' } }))
    const dropped = dropPoetrySources(lock, { settings: bare }, isPyPi)
    expect(dropped?.isStale).toBe(true)
    expect(applyEdits(lock, dropped?.edits ?? [])).toContain(
      digestSettings({ ...withSource, dependencies: { python: '^3.9' } }),
    )
  })

  test('stays while pyproject.toml names it', () => {
    const lock = lockOf(digestSettings(withSource))
    expect(dropPoetrySources(lock, { settings: withSource }, isPyPi)).toBeUndefined()
  })

  test('stays where its packages are not those of PyPI', () => {
    const lock = lockOf(digestSettings(withSource))
    expect(dropPoetrySources(lock, { settings: bare }, () => false)).toBeUndefined()
  })
})
