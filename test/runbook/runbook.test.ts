import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ReturningClient } from '../ceremony/returning-client.ts'
import { farVersion } from '../ceremony/thief.ts'
import { buildWheel, type Wheel } from '../support/build-wheel.ts'
import { serveFolder, writeIndex, type ServedIndex } from '../support/folder-index.ts'
import { Operator } from './operator.ts'
import { readRunbook, type RunbookStep } from './read-runbook.ts'
import { breakIn, stealTimestampKey, type Theft } from './thefts.ts'

const tree = '/srv/mirror/public'
/** A process for each line, and passphrases that are slow to guess: on a busy machine it adds up. */
const sectionTimeoutMs = 300_000
const page = join(import.meta.dirname, '..', '..', 'docs', 'mirror-runbook.md')
const steps = readRunbook(await readFile(page, 'utf8'))

let index: ServedIndex
let operator: Operator
/** It was there from the first day, and never gets help. */
let client: ReturningClient

beforeAll(async () => {
  operator = await Operator.create()
  await listReleases([...library])
  await mkdir(operator.resolve('~/dist'))
  for (const { filename, bytes } of library) {
    await writeFile(operator.resolve(`~/dist/${filename}`), bytes)
  }
  index = await serveFolder(operator.resolve('index'))
  operator.useIndex(index.url)
  client = new ReturningClient(join(operator.folder, 'client'), () =>
    readFile(operator.resolve('~/1.root.json')),
  )
})

afterAll(async () => {
  await index.close()
  await operator.remove()
})

const app = buildWheel({ name: 'demo-app', version: '1.0' })
const library = ['1.0', '1.1'].map((version) => buildWheel({ name: 'demo-library', version }))

/** What the index lists of the library from now on. */
function listReleases(wheels: readonly Wheel[]): Promise<void> {
  return writeIndex(operator.resolve('index'), [
    { name: 'demo-app', wheels: [app] },
    { name: 'demo-library', wheels },
  ])
}

const events: Readonly<Record<string, (words: readonly string[]) => Promise<void>>> = {
  lose: async ([path = '']) => rm(operator.resolve(path), { recursive: true }),
  'release-vanishes': () => listReleases(library.slice(0, 1)),
  'release-is-back': () => listReleases(library),
  'steal-timestamp-key': async () => {
    const theft = planTheft('timestamp')
    await stealTimestampKey(theft)
    const { timestamp } = await client.visit(theft.copy, Date.now(), ['demo-app'])
    expect(timestamp).toBe(farVersion)
  },
  'break-in': async () => {
    const theft = planTheft('host')
    await breakIn(theft, 'demo-app', emptyRecord)
    const { files } = await client.visit(theft.copy, Date.now(), ['demo-app'])
    expect(files['demo-app']).toEqual([])
  },
}

function planTheft(name: string): Theft {
  return { mirror: operator.resolve('/srv/mirror'), copy: join(operator.folder, `thief-${name}`) }
}

const emptyRecord = JSON.stringify({
  meta: { 'api-version': '1.4' },
  name: 'demo-app',
  versions: [],
  files: [],
})

async function perform(step: RunbookStep): Promise<void> {
  if (step.kind === 'event') await events[step.name]?.(step.words)
  if (step.kind !== 'commands') return
  const { code, stdout, stderr } = await operator.run(step.text)
  expect(code, `line ${step.line}\n${stdout}${stderr}`).toBe(0)
}

describe('docs/mirror-runbook.md', () => {
  for (const [at, step] of steps.entries()) {
    if (step.kind !== 'section') continue
    const next = steps.findIndex((other, place) => place > at && other.kind === 'section')
    const own = steps.slice(at + 1, next === -1 ? undefined : next)
    test.skipIf(own.length === 0)(
      `${step.title}: works as it is written`,
      async () => {
        for (const one of own) await perform(one)
        const { files } = await client.visit(operator.resolve(tree), Date.now(), ['demo-app'])
        expect(files['demo-app']).toContain('demo_app-1.0-py3-none-any.whl')
      },
      sectionTimeoutMs,
    )
  }

  test('tells of no event that nothing brings about', () => {
    const told = steps.flatMap((step) => (step.kind === 'event' ? [step.name] : []))
    expect(told.filter((name) => events[name] === undefined)).toEqual([])
  })
})
