import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runProgram } from '../support/program.ts'

const units = readdirSync('proxy-config/systemd').map((name) => join('proxy-config/systemd', name))
const cronTable = 'proxy-config/cron/tufgate-mirror'

/** Each `tufgate ...` that an example runs, without the folder of its mirror and what follows it. */
function listCommands(): (readonly [file: string, command: string])[] {
  return [...units, cronTable].flatMap((file) => {
    const lines = readFileSync(file, 'utf8').split('\n')
    return lines
      .filter((line) => !line.startsWith('#'))
      .flatMap((line) => {
        const [, found] = /tufgate (mirror [^>)|]*)/.exec(line.replace('/usr/local/bin/', '')) ?? []
        return found === undefined || line.includes('Description')
          ? []
          : [[file, found.trim()] as const]
      })
  })
}

function ownerOf(unit: string): string {
  return unit.endsWith('/tufgate-serve.service') ? 'tufgate' : 'tufgate-mirror'
}

describe('the examples for supervisors', () => {
  test('run what is listed in them, eight times', () => {
    expect(listCommands()).toHaveLength(8)
  })

  test.each(listCommands())('%s: tufgate %s is a command with these flags', async (_, command) => {
    const words = command.split(' ')
    const { code, stderr } = await runProgram(...words)
    // There is no mirror there; that the command and its flags are known is said before that.
    expect(stderr).toContain('/var/lib/tufgate-mirror/mirror holds no mirror')
    expect(code).toBe(2)
  })

  test('flags that are not there would be noticed', async () => {
    const { code, stderr } = await runProgram(
      'mirror',
      'watch',
      '/nowhere',
      '--synk-every',
      '10min',
    )
    expect(code).toBe(2)
    expect(stderr).toContain("unknown option '--synk-every'")
  })

  test('every timer has its service, and every folder is the one that the services own', () => {
    for (const unit of units) {
      const text = readFileSync(unit, 'utf8')
      if (unit.endsWith('.timer')) expect(units).toContain(unit.replace('.timer', '.service'))
      else expect(text).toContain(`StateDirectory=${ownerOf(unit)}\n`)
    }
  })
})

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0

describe.skipIf(!hasSystemd)('systemd', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tufgate-units-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test('finds nothing wrong with the units', () => {
    const copies = units.map((unit) => {
      const path = join(folder, unit.split('/').at(-1) ?? '')
      // The program is not installed here, and the user is not made.
      const text = readFileSync(unit, 'utf8').replace('/usr/local/bin/tufgate', '/bin/true')
      writeFileSync(path, text)
      return path
    })
    const { stderr, stdout } = spawnSync('systemd-analyze', ['verify', '--man=no', ...copies], {
      encoding: 'utf8',
    })
    const said = (stdout + stderr).split('\n').filter((line) => line.includes('tufgate'))
    expect(said).toEqual([])
  })
})
