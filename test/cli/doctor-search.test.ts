import { spawnSync } from 'node:child_process'
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { matching } from '../support/expecting.ts'
import { Machine } from './doctor-fixture.ts'

const own = 'http://127.0.0.1:8642/simple/'
let machine: Machine

beforeEach(async () => {
  machine = await Machine.create()
  // Nobody listens there; the test does not ask whether somebody does.
  machine.settings = 'listen = ["127.0.0.1:8642"]'
})

afterEach(() => machine.remove())

describe('what cannot be read', () => {
  test('is said: a folder, a FIFO, binary, broken TOML, what pip cannot read', async () => {
    await mkdir(join(machine.project, 'requirements.txt'))
    const fifo = join(machine.project, 'Pipfile')
    expect(spawnSync('mkfifo', [fifo]).status).toBe(0)
    const binary = await machine.write('project/constraints.txt', 'a\0b')
    const toml = await machine.write('project/pyproject.toml', '[a]\nb = = 1\n')
    const pip = await machine.write('pip.conf', 'index-url = https://x/\n')
    machine.environment['PIP_CONFIG_FILE'] = pip
    const found = await machine.examine()
    const said = found
      .filter(({ code }) => code === 'not-checked')
      .map(({ place, what }) => [place, what])
    expect(said).toEqual([
      [pip, 'this was not checked: line 1: a setting stands before any [section]'],
      [toml, matching(/^this was not checked: line 2: /)],
      [fifo, 'this was not checked: it is not a file'],
      [binary, 'this was not checked: it is not text'],
    ])
    for (const { severity } of found.filter(({ code }) => code === 'not-checked')) {
      expect(severity).toBe('warning')
    }
  })

  test.skipIf(process.geteuid?.() === 0)('is said of a file that is not for us', async () => {
    const file = await machine.write('project/requirements.txt', '-i https://x/', 0o000)
    expect(await machine.codesAt(file)).toEqual(['not-checked'])
  })

  test('is said once of all folders that lie too deep, as a note without a mend that mends nothing', async () => {
    const deep = 'project/1/2/3/4/5/6'
    await machine.write(`${deep}/7/requirements.txt`, '-i https://x/')
    await machine.write(`${deep}/8/requirements.txt`, '-i https://x/')
    const found = await machine.examine()
    expect(found.filter(({ code }) => code.startsWith('not-') && code !== 'not-asked')).toEqual([
      {
        severity: 'note',
        code: 'not-searched',
        place: machine.project,
        what: `2 folders were not searched, the first of them ${machine.path(deep, '7')}`,
        why: 'Projects are looked for no more than 6 folders deep. If there is one below: tufgate doctor FOLDER',
      },
    ])
  })

  test('is made readable only where it is not: each has a mend of its own', async () => {
    await machine.write('project/Pipfile', 'a\0b')
    await machine.write('project/pyproject.toml', '[a]\nb = = 1\n')
    const found = await machine.examine()
    expect(
      found.filter(({ code }) => code === 'not-checked').map(({ place, mend }) => [place, mend]),
    ).toEqual([
      [machine.path('project/pyproject.toml'), 'correct it, then run tufgate doctor again'],
      [machine.path('project/Pipfile'), 'look into it yourself'],
    ])
  })

  test('is not the state of tufgate, a cache or an environment, however deep they are', async () => {
    const below = '1/2/3/4/5/6/7/requirements.txt'
    for (const mark of ['pyvenv.cfg', 'CACHEDIR.TAG', 'floors.db', 'conda-meta/history']) {
      await machine.write(`project/of-${mark.slice(0, 5)}/${mark}`, '')
      await machine.write(`project/of-${mark.slice(0, 5)}/${below}`, '-i https://x/')
    }
    await machine.write(`project/kept/${below}`, '-i https://x/')
    const found = await machine.examine({ stateHome: machine.path('project/kept') })
    expect(found.filter(({ place }) => place.startsWith(machine.project))).toEqual([])
  })

  test('is not a link to a folder, which could lead in a circle', async () => {
    await symlink(machine.project, join(machine.project, 'again'))
    await machine.write('project/requirements.txt', `-i ${own}`)
    const found = await machine.examine()
    expect(found.filter(({ code }) => code === 'not-checked')).toEqual([])
  })
})
