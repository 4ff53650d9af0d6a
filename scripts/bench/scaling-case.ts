/** Whether the cost of a snapshot grows no worse than its size. */

import type { BenchCase, Row } from './result.ts'
import { medianOf } from './statistics.ts'
import { measure } from './verify-case.ts'

const sizes = [1024, 4096, 16_384, 65_536]
/** 1 would be exactly linear; caches and the collector of garbage cost a little. */
const wantedGrowth = 1.5

export const scalingCase: BenchCase = {
  name: 'scaling',
  title: 'verify a snapshot of 1k, 4k, 16k and 64k bins',
  async run(context) {
    const rows: Row[] = []
    const targets = []
    for (const hasHashes of [false, true]) {
      const perBin: number[] = []
      for (const bins of sizes) {
        const row = await measure(context, { by: 'tufgate', bins, hasHashes })
        const each = (row.values['later'] ?? []).map((ms) => (ms * 1000) / bins)
        rows.push({ ...row, values: { ...row.values, 'later, each bin': each } })
        perBin.push(medianOf(each))
      }
      targets.push({
        what: `an entry of 65,536 against one of 4,096${hasHashes ? ', with hashes' : ''}`,
        wanted: wantedGrowth,
        found: (perBin[3] ?? Number.NaN) / (perBin[1] ?? Number.NaN),
        unit: 'times',
        rule: 'at most' as const,
      })
    }
    return {
      columns: [
        { name: 'size', unit: 'kB' },
        { name: 'first', unit: 'ms' },
        { name: 'later', unit: 'ms' },
        { name: 'later, each bin', unit: 'us' },
      ],
      rows,
      targets,
      notes: [],
    }
  },
}
