/**
 * K1: every set of stolen keys, for both shapes of a mirror, tried on our own client in this process
 * and held against what `mirror audit-keys` would say. No pip has a part in it.
 */

import { questions, TheftTrial, type Comparison } from '../../../test/mirror/theft-trial.ts'
import type { Attack, Observed } from '../attack.ts'
import { require } from '../judge.ts'
import { noKeysAlone } from './stolen-mirror.ts'

export const wholeMatrix: readonly Attack[] = [
  stageMatrix('every set of keys, where snapshot says the sha256 of the bins (the default)', true),
  stageMatrix('every set of keys, where snapshot says versions alone', false),
]

function stageMatrix(name: string, hasBinHashes: boolean): Attack {
  return {
    row: 'K1',
    name,
    ...(hasBinHashes && { isCore: true as const }),
    pips: 'machine',
    alone: noKeysAlone,
    behind: () => tryAll(hasBinHashes),
    judge: ({ notes, line }) => [
      ...require(line === '', line),
      // An empty matrix would agree with everything.
      ...questions.flatMap((question) =>
        require(notes.some((note) =>
          note.startsWith(`${question}: `),
        ), `nothing was tried: ${question}`),
      ),
    ],
  }
}

async function tryAll(hasBinHashes: boolean): Promise<Observed> {
  const trial = await TheftTrial.create(hasBinHashes)
  const found: Comparison[] = []
  for (const question of questions) found.push(...(await trial.compareAll(question)))
  const wrong = found.filter(({ said, seen }) => said !== seen)
  return {
    happened: `${found.length} combinations tried, ${found.length - wrong.length} as the matrix says`,
    exitCode: null,
    line: wrong.slice(0, 3).map(describe).join('; '),
    codes: [],
    notes: questions.flatMap((question) => summarize(question, found)),
  }
}

/** `freeze: 256 of 256`; nothing where nothing was tried. */
function summarize(question: string, all: readonly Comparison[]): string[] {
  const found = all.filter((one) => one.question === question)
  const agreed = found.filter(({ said, seen }) => said === seen)
  return found.length === 0 ? [] : [`${question}: ${agreed.length} of ${found.length}`]
}

function describe({ question, stolen, said, seen }: Comparison): string {
  const keys = stolen.join(', ') || 'no key'
  return `${keys}, ${question}: the matrix says ${said}, seen was ${seen}`
}
