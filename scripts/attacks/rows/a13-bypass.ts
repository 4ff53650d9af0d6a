/**
 * A13: pip is led past the proxy, which cannot see that: by a page, or by pip's own command line. The
 * latter `tufgate run` says, and goes past us; with --strict nothing is started then.
 */

import { serve, type HostileServer } from '../../../test/support/hostile-server.ts'
import { tufgateCommand } from '../../../test/support/program.ts'
import type { Attack, Observed, Scene } from '../attack.ts'
import { buildEvil } from '../genuine.ts'
import { buildReleases, stageIndexAttack } from '../index-attack.ts'
import { install, type InstallOptions } from '../install.ts'
import { mustInstall, require, requireNote } from '../judge.ts'
import { withRogue } from '../rogue-index.ts'

export const bypass: readonly Attack[] = [
  stageBase(),
  stagePastIt({
    name: 'a further index in a variable, under tufgate run',
    project: 'foo-a13-run',
    findOptions: (other) => ({ variables: { PIP_EXTRA_INDEX_URL: `${other.origin}/simple/` } }),
    isRun: true,
    judge: mustInstall(),
  }),
  stagePastIt({
    name: 'a further index on the command line of pip',
    project: 'foo-a13-flag',
    findOptions: (other, project) => ({
      args: ['install', '--extra-index-url', `${other.origin}/simple/`, project],
    }),
    limit: 'what pip is told on its own command line goes past tufgate',
    judge: mustBePassed,
  }),
  stagePastIt({
    name: 'tufgate run: a further index on the command line of pip',
    project: 'foo-a13-flag-run',
    findOptions: (other, project) => ({
      args: ['install', '--extra-index-url', `${other.origin}/simple/`, project],
    }),
    isRun: true,
    limit: 'what pip is told on its own command line goes past tufgate, which says so',
    judge: (observed) => [...mustBePassed(observed), ...mustBeTold(observed)],
  }),
  stagePastIt({
    name: 'run --strict: a further index on the command line of pip',
    project: 'foo-a13-strict',
    findOptions: (other, project) => ({
      args: ['install', '--extra-index-url', `${other.origin}/simple/`, project],
    }),
    isRun: true,
    runFlags: ['--strict'],
    judge: (observed) => [
      ...mustBeTold(observed),
      ...require(observed.exitCode === 2, `exit code ${observed.exitCode}`),
      ...require(observed.happened === 'nothing installed', observed.happened),
    ],
  }),
]

/** `<base>` of a page moves all its links; nobody looks where they lead. */
function stageBase(): Attack {
  return stageIndexAttack({
    row: 'A13',
    name: 'the page itself leads elsewhere: <base href> of another host',
    project: 'foo-a13-base',
    turn: ({ trial, internal }, project) => {
      const { filename, bytes } = buildEvil(project, '1.1')
      internal.on(`/files/${filename}`, serve(bytes))
      const links = `<a href="files/${filename}">${filename}</a>`
      const page = `<html><head><base href="${internal.url('/')}"></head><body>${links}</body></html>`
      const type = { 'content-type': 'text/html' }
      trial.index.on(`/simple/${project}/`, serve(Buffer.from(page), type))
    },
    judge: mustInstall(),
  })
}

interface PastIt extends Pick<Attack, 'name' | 'limit' | 'judge'> {
  readonly project: string
  readonly findOptions: (other: HostileServer, project: string) => InstallOptions
  readonly isRun?: true
  readonly runFlags?: readonly string[]
}

function stagePastIt(attack: PastIt): Attack {
  const { name, project, findOptions, isRun, runFlags = [], judge, limit } = attack
  const run = (scene: Scene, isBehind: boolean): Promise<Observed> =>
    withRogue(project, async (other) => {
      const options = findOptions(other, project)
      if (!isRun || !isBehind) return install(scene, project, options)
      const { config } = await scene.world.trial.writeSettings()
      return install(scene, project, {
        ...options,
        isRun,
        through: tufgateCommand('run', ...runFlags, '--config', config, '--'),
      })
    })
  return {
    row: 'A13',
    name,
    pips: 'machine',
    ...(limit !== undefined && { limit }),
    publish: (world) => world.publish(project, buildReleases(project)),
    alone: (scene) => run(scene, false),
    behind: (scene) => run(scene, true),
    judge,
  }
}

function mustBePassed({ happened }: Observed): readonly string[] {
  return require(happened.startsWith('EVIL'), happened)
}

function mustBeTold(observed: Observed): readonly string[] {
  return requireNote(observed, /^run: --extra-index-url: http:/)
}
