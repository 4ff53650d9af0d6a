/** The same metadata made with `@tufjs/models`, which is what a mirror in this language would use. */

import { runScript } from '../child.ts'
import type { Row } from '../result.ts'
import { medianOf } from '../statistics.ts'
import type { ModelsInput, ModelsReport } from './measure-models.ts'
import type { MirrorCase, Plan } from './mirror-cases.ts'

export const modelsCase: MirrorCase = {
  name: 'models',
  title: 'bins, snapshot and timestamp in memory, side by side with @tufjs/models',
  run: async (plan) => {
    const ours = await measure(plan, 'tufgate')
    const theirs = await measure(plan, '@tufjs/models')
    return {
      columns: [
        { name: 'all', unit: 'CPU ms' },
        { name: 'one changed', unit: 'CPU ms' },
        { name: 'size', unit: 'MB' },
      ],
      rows: [describe('tufgate', plan, ours), describe('@tufjs/models', plan, theirs)],
      targets: [
        {
          what: 'one changed project, against @tufjs/models',
          wanted: 1,
          found: medianOf(ours.oneMs) / medianOf(theirs.oneMs),
          unit: 'times its processor time',
          rule: 'at most',
        },
      ],
      notes: [
        'no disk, no database, no records, no gzip: what both can do. Each takes the same entries, encodes and signs them with Ed25519',
      ],
    }
  },
}

function measure({ projects, times, say }: Plan, by: ModelsInput['by']): Promise<ModelsReport> {
  say(`${by}, ${projects} projects`)
  const input: ModelsInput = { by, projects, changes: times }
  return runScript<ModelsReport>('mirror/measure-models.ts', input)
}

function describe(
  by: string,
  { projects }: Plan,
  { bins, allMs, oneMs, bytes }: ModelsReport,
): Row {
  return {
    label: `${by}, ${projects.toLocaleString('en')} projects, ${bins.toLocaleString('en')} bins`,
    values: { all: [allMs], 'one changed': oneMs, size: [bytes / 1_000_000] },
  }
}
