import { describe, expect, test } from 'vitest'
import { findLayout, findPlaces } from '../../src/installed/layout.ts'

const site = 'lib/python3.11/site-packages'

describe('the layout of a folder', () => {
  test('is that of a virtual environment, of a prefix, of one folder for all, or none', () => {
    expect(findLayout(['pyvenv.cfg', `${site}/a.py`])).toEqual({
      kind: 'venv',
      sites: [site],
      python: '3.11',
    })
    expect(findLayout([`${site}/a.py`])).toMatchObject({ kind: 'prefix' })
    expect(findLayout(['pyvenv.cfg'])).toEqual({ kind: 'venv', sites: [], python: '' })
    expect(findLayout(['foo-1.0.dist-info/METADATA', 'foo.py'])).toMatchObject({
      kind: 'folder',
      sites: [''],
    })
    expect(findLayout(['README'])).toBeUndefined()
    expect(findLayout(['sub/foo-1.0.dist-info/METADATA'])).toBeUndefined()
  })

  test('has two places for libraries where lib64 is a folder of its own', () => {
    const lib64 = 'lib64/python3.11/site-packages'
    const layout = findLayout([
      'pyvenv.cfg',
      `${site}/a.py`,
      `${lib64}/b.so`,
      'lib/python3.9/site-packages/c.py',
    ])!
    const places = findPlaces(layout, { scheme: 'site', path: 'b.so' }, { name: 'b', site })
    expect(places).toEqual([`${site}/b.so`, `${lib64}/b.so`])
  })
})
