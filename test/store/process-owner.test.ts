import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { currentOwner, findProcess } from '../../src/store/process-owner.ts'

const own = currentOwner()
const [pid = '', start = '', place = ''] = own.id.split('.')

test('finds the process that made the id', () => {
  expect(findProcess(own.id)).toEqual({ pid: process.pid, state: 'alive' })
  expect(own.isAlive(own.id)).toBe(true)
})

test.runIf(existsSync('/proc/self/stat'))('tells a number that is used again', () => {
  expect(findProcess(`${pid}.${Number(start) + 1}.${place}`).state).toBe('dead')
})

test('a process of another container or boot has no number of here', () => {
  expect(findProcess(`${pid}.${start}.n1${place.slice(place.indexOf('b'))}`).state).toBe(
    'elsewhere',
  )
  expect(findProcess(`${pid}.${start}.n1b0`).state).toBe('before')
  expect(findProcess('no id at all')).toEqual({ pid: 0, state: 'elsewhere' })
})

test.runIf(existsSync('/proc/self/stat'))(
  'a process that has ended is dead, though nobody has waited for it',
  async () => {
    // The shell becomes a program that never asks how its child has ended.
    const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void parent.kill('SIGKILL'))
    const [output] = (await once(parent.stdout, 'data')) as [Buffer]
    const child = output.toString().trim()
    const stat = (): string => readFileSync(`/proc/${child}/stat`, 'latin1')
    const id = `${child}.${stat().split(' ')[21] ?? ''}.${place}`
    await expect.poll(() => readFileSync(`/proc/${parent.pid}/comm`, 'latin1')).toBe('sleep\n')
    process.kill(Number(child), 'SIGKILL')
    await expect.poll(() => / Z /.test(stat())).toBe(true)
    expect(findProcess(id)).toEqual({ pid: Number(child), state: 'dead' })
    expect(own.isAlive(id)).toBe(false)
  },
)
