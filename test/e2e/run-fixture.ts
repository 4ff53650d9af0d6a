/** `tufgate run` in a trial: a home and a temporary folder of its own for each test. */

import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { collect, spawnProgram, type Finished, type SpawnedProgram } from '../support/program.ts'
import { Trial, type TrialFile } from './trial.ts'

export interface RunFixture {
  readonly trial: Trial
  /** Of the test that runs now. */
  config: string
  state: string
  home: string
  temporary: string
  variables(more?: Variables): Variables
  /** `tufgate run --config FILE -- COMMAND` */
  run(command: readonly string[], more?: Variables): Promise<Finished>
  start(command: readonly string[], more?: Variables): SpawnedProgram
}

export type Variables = Readonly<Record<string, string>>

/** To be called once at the top of a test file; what it gives is there when a test runs. */
export function useRun(projects: Readonly<Record<string, readonly TrialFile[]>>): RunFixture {
  let trial: Trial
  const fixture: RunFixture = {
    get trial() {
      return trial
    },
    config: '',
    state: '',
    home: '',
    temporary: '',
    variables: (more = {}) => ({
      HOME: fixture.home,
      TMPDIR: fixture.temporary,
      PIP_DISABLE_PIP_VERSION_CHECK: '1',
      PIP_NO_CACHE_DIR: '1',
      PIP_NO_INPUT: '1',
      // In place of the machine's.
      XDG_CONFIG_DIRS: join(fixture.home, 'etc'),
      ...more,
    }),
    run: (command, more) => collect(fixture.start(command, more)),
    start: (command, more) => {
      const args = ['run', '--config', fixture.config, '--', ...command]
      return trial.watch(spawnProgram(fixture.variables(more), ...args))
    },
  }
  beforeAll(async () => {
    trial = await Trial.create()
    for (const [project, files] of Object.entries(projects)) trial.publish(project, files)
    await trial.sync()
  })
  afterAll(() => trial.close())
  beforeEach(async () => {
    Object.assign(fixture, await trial.writeSettings())
    fixture.home = join(fixture.state, 'home')
    fixture.temporary = join(fixture.state, 'tmp')
    await mkdir(fixture.home)
    await mkdir(fixture.temporary)
  })
  afterEach(async () => {
    // Whatever became of the command: nothing of ours stays in the temporary folder.
    const left = await readdir(fixture.temporary)
    expect(left.filter((name) => name.startsWith('tufgate'))).toEqual([])
  })
  return fixture
}

/** A command that is a piece of JavaScript. */
export function node(code: string, ...args: readonly string[]): string[] {
  return [process.execPath, '-e', code, ...args]
}
