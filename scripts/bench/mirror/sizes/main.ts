/**
 * `npm run bench:sizes`: what clients have to fetch, as Markdown tables. PEP 458's tables 2 and 3 by
 * formula and measured, Mercury's table 1, and ours, on metadata that is made and signed for it.
 *
 * npm run bench:sizes -- [--projects N]... [--json FILE]
 */

import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { describeMachine } from '../../machine.ts'
import { renderMachine } from '../../report.ts'
import {
  judge,
  measureCorpus,
  tabulateDocuments,
  tabulateLookUps,
  tabulateMercury,
  type Corpus,
} from './look-up-sizes.ts'
import { tabulateClaims, tabulateShapes } from './shape-sizes.ts'
import { mercuryFigures } from './mercury-sizes.ts'
import { measurePepSizes, pepFigures, tabulatePep } from './pep458-sizes.ts'
import { renderMarkdown, renderTarget, type SizeTable, type SizeTarget } from './size-table.ts'

const projectsOfToday = 736_000

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      projects: { type: 'string', multiple: true },
      json: { type: 'string' },
    },
  })
  const defaults = [mercuryFigures.projects, projectsOfToday]
  const counts = values.projects?.map(requireCount) ?? defaults
  const corpora: Corpus[] = []
  for (const count of counts) corpora.push(await measureCorpus(count))
  const largest = corpora.toSorted((one, other) => other.projects - one.projects)[0]
  if (largest === undefined) return
  const tables = await tabulateAll(corpora, largest)
  const targets = judge(largest)
  const machine = describeMachine('npm run bench:sizes')
  print([`\`\`\`\n${renderMachine(machine)}\n\`\`\`\n`, ...tables.map(renderMarkdown)])
  print([...targets.map(renderTarget), ''])
  await writeJson(values.json, { machine, tables, targets })
}

async function tabulateAll(corpora: readonly Corpus[], largest: Corpus): Promise<SizeTable[]> {
  // Smaller corpora are for a quick look: PEP 458's repository shrinks with them.
  const scale = Math.min(1, largest.projects / mercuryFigures.projects)
  const pep = await measurePepSizes(largest.projects < 10_000 ? scale : 1)
  return [
    tabulatePep(pep),
    tabulateMercury(corpora),
    ...corpora.map(tabulateLookUps),
    tabulateDocuments(corpora),
    await tabulateShapes(largest),
    await tabulateClaims(largest),
  ]
}

function requireCount(raw: string): number {
  const count = Number(raw)
  if (Number.isSafeInteger(count) && count > 0) return count
  throw new Error(`--projects ${raw}: a whole number above 0 is needed, such as ${pepFigures.bins}`)
}

interface Result {
  readonly machine: object
  readonly tables: readonly SizeTable[]
  readonly targets: readonly SizeTarget[]
}

async function writeJson(path: string | undefined, result: Result): Promise<void> {
  if (path !== undefined) await writeFile(path, `${JSON.stringify(result, null, 2)}\n`)
}

function print(parts: readonly string[]): void {
  process.stdout.write(`${parts.join('\n')}\n`)
}

await main()
