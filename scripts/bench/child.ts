/** Processes that a run starts: their first line says where they listen; they end with the run. */

import { spawn, type ChildProcess } from 'node:child_process'
import { cleanEnvironment } from '../../test/support/program.ts'

export interface Child {
  readonly pid: number
  readonly process: ChildProcess
  stop(): Promise<void>
}

export interface ListeningChild extends Child {
  /** What `says` matched. */
  readonly said: string
}

const startTimeMs = 60_000

/** Resolves when a line of standard output matches; rejects with what the process said if it ends. */
export async function startChild(
  command: string,
  args: readonly string[],
  says: RegExp,
): Promise<ListeningChild> {
  const child = spawn(command, args, { env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { text: '' }
  const said = await new Promise<string>((resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`${command} ${why}: ${output.text}`))
    const timer = setTimeout(() => fail('did not start'), startTimeMs)
    const listen = (text: string): void => {
      output.text = (output.text + text).slice(-20_000)
      const [, found] = says.exec(output.text) ?? []
      if (found === undefined) return
      clearTimeout(timer)
      resolve(found)
    }
    child.stdout.setEncoding('utf8').on('data', listen)
    child.stderr.setEncoding('utf8').on('data', listen)
    child.once('error', reject)
    child.once('exit', () => fail('ended'))
  })
  return { pid: child.pid ?? 0, process: child, said, stop: () => stopChild(child) }
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise<void>((resolve) => void child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  await ended
}

/** Runs a script of this folder to its end; its standard output is JSON. */
export async function runScript<T>(script: string, input: object): Promise<T> {
  const args = [`${import.meta.dirname}/${script}`, JSON.stringify(input)]
  const child = spawn(process.execPath, args, {
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { out: '', error: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.error += text))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0) throw new Error(`${script} ended with ${code}: ${output.error}`)
  return JSON.parse(output.out) as T
}
