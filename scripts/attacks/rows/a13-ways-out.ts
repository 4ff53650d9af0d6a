/**
 * A13: settings of this machine lead pip past the proxy, which cannot see that. The doctor finds them; what
 * he says is done, and pip asks the proxy alone.
 */

import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { waysOut, type Setup, type WayOut } from '../../../test/e2e/doctor-ways.ts'
import type { HostileServer } from '../../../test/support/hostile-server.ts'
import { cleanEnvironment, runCommand, tufgateCommand } from '../../../test/support/program.ts'
import type { Attack, Observed, Scene } from '../attack.ts'
import { buildReleases } from '../index-attack.ts'
import { install } from '../install.ts'
import { mustInstall, requireNote } from '../judge.ts'
import { withRogue } from '../rogue-index.ts'

const requirements = 'project/requirements.txt'

/** `-i` in a requirements file is stronger than any setting of pip. */
const indexInRequirements: WayOut = {
  name: 'another index in a requirements file',
  code: 'other-local-address',
  place: requirements,
  line: 1,
  setup: { files: { [requirements]: '-i {other}/simple/\ne2e-greeting\n' } },
  mend: 'write {ours}/simple/ in this line',
  mended: { files: { [requirements]: '-i {ours}/simple/\ne2e-greeting\n' } },
  wanted: ['-r', 'requirements.txt'],
}

const examined = new Map([
  ['a variable with a further index', 'env'],
  ['an index in the pip.conf of the user', 'conf'],
  ['files of a page of links', 'links'],
  ['an index in a requirements file that another includes', 'included'],
])

export const settingsPastIt: readonly Attack[] = [
  ...waysOut.filter(({ name }) => examined.has(name)),
  indexInRequirements,
].map((way) => stageWay(way, `foo-a13-${examined.get(way.name) ?? 'requirements'}`))

function stageWay(way: WayOut, project: string): Attack {
  return {
    row: 'A13',
    name: `${way.name}, until what the doctor says is done`,
    pips: 'machine',
    ...(way.code === 'extra-index' && project.endsWith('env') && { isCore: true }),
    publish: (world) => world.publish(project, buildReleases(project)),
    alone: (scene) => withRogue(project, (other) => installAs(scene, project, { way, other })),
    behind: (scene) => withRogue(project, (other) => examineAndMend(scene, project, way, other)),
    judge: (observed) => [
      ...mustInstall()(observed),
      // Otherwise nothing went past the proxy: the attack was not shown.
      ...requireNote(observed, /^as it was: EVIL/),
      ...requireNote(observed, `doctor: exit code 3: ${way.code}`),
      ...requireNote(observed, /^mended: the other index was asked 0 x$/),
    ],
  }
}

/** Evil as it was set; then the doctor, and what he says; then it is gone. */
async function examineAndMend(
  scene: Scene,
  project: string,
  way: WayOut,
  other: HostileServer,
): Promise<Observed> {
  const before = await installAs(inFolderOf(scene, 'before'), project, { way, other })
  const doctor = await askDoctor(inFolderOf(scene, 'before'), project, { way, other })
  const seen = other.requests.length
  const after = inFolderOf(scene, 'after')
  const mended = await installAs(after, project, { way: mendWay(way), other })
  const asked = other.requests.length - seen
  return {
    ...mended,
    notes: [
      `as it was: ${before.harm ?? before.happened}`,
      doctor,
      `mended: the other index was asked ${asked} x`,
      ...mended.notes,
    ],
  }
}

/** Files that it does not touch stay as they were. */
function mendWay(way: WayOut): WayOut {
  const { setup, mended } = way
  return { ...way, setup: { ...mended, files: { ...setup.files, ...mended.files } } }
}

function inFolderOf(scene: Scene, name: string): Scene {
  return { ...scene, folder: join(scene.folder, name) }
}

interface Staged {
  readonly way: WayOut
  readonly other: HostileServer
}

async function installAs(scene: Scene, project: string, staged: Staged): Promise<Observed> {
  const { setup, wanted } = fillWay(scene, project, staged)
  const { folder } = scene
  await writeFiles(folder, setup)
  const paths = wanted.map((word) => (word.endsWith('.txt') ? join(folder, 'project', word) : word))
  return install(scene, project, {
    args: ['install', ...paths],
    // Where the index is stands in the settings, and not on the command line, which overrides them.
    through: ['/usr/bin/env'],
    variables: variablesOf(scene, setup),
  })
}

async function askDoctor(scene: Scene, project: string, staged: Staged): Promise<string> {
  const { world, folder } = scene
  const { setup } = fillWay(scene, project, staged)
  const port = new URL(world.indexUrl).port
  const { state } = world.proxy ?? {}
  const { config } = await world.trial.writeSettings({
    settings: `listen = ["127.0.0.1:${port}"]`,
    ...(state !== undefined && { state }),
  })
  const [node = '', ...words] = tufgateCommand(
    'doctor',
    '--json',
    '--no-network',
    '--config',
    config,
    join(folder, 'project'),
  )
  const { PIP_CONFIG_FILE, ...variables } = variablesOf(scene, setup)
  const env = cleanEnvironment({
    ...variables,
    ...(PIP_CONFIG_FILE !== '' && { PIP_CONFIG_FILE: '/dev/null' }),
  })
  const { code, stdout } = await runCommand(node, words, { env })
  const { findings } = JSON.parse(stdout) as { findings: { code: string; mend: string }[] }
  const found = findings.find((finding) => finding.code === staged.way.code)
  return `doctor: exit code ${code}: ${found?.code ?? 'not found'}; ${found?.mend ?? ''}`
}

function variablesOf({ world, folder }: Scene, { variables, files = {} }: Setup) {
  const hasConfiguration = Object.keys(files).some((name) => name.endsWith('pip.conf'))
  return {
    HOME: join(folder, 'home'),
    PIP_INDEX_URL: world.indexUrl,
    PIP_CONFIG_FILE: hasConfiguration ? '' : '/dev/null',
    ...variables,
  }
}

function fillWay(
  { world }: Scene,
  project: string,
  { way, other }: Staged,
): { setup: Setup; wanted: readonly string[] } {
  const ours = new URL(world.indexUrl).origin
  const fill = (text: string): string =>
    text
      .replaceAll('{other}', other.origin)
      .replaceAll('{ours}', ours)
      .replaceAll('e2e-greeting', project)
  const fillAll = (texts: Readonly<Record<string, string>> = {}): Record<string, string> =>
    Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, fill(text)]))
  const setup = { variables: fillAll(way.setup.variables), files: fillAll(way.setup.files) }
  return { setup, wanted: way.wanted ?? [project] }
}

async function writeFiles(folder: string, { files = {} }: Setup): Promise<void> {
  for (const name of ['home', 'project', ...Object.keys(files).map(dirname)])
    await mkdir(join(folder, name), { recursive: true })
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
}
