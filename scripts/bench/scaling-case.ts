/** Whether the cost of a snapshot grows no worse than its size. */

import type { BenchCase, CaseContext, CaseResult, Row, Target } from './result.ts'
import { medianOf } from './statistics.ts'
import { measure } from './verify-case.ts'

const sizes = [1024, 4096, 16_384, 65_536]
/** 1 would be exactly linear; caches and the collector of garbage cost a little. */
const wantedGrowth = 1.5

export const scalingCase: BenchCase = {
  name: 'scaling',
  title: 'verify a snapshot of 1k, 4k, 16k and 64k bins',
  async run(context): Promise<CaseResult> {
    const plain = await measureSizes(context, false)
    const hashed = await measureSizes(context, true)
    return {
      columns: [
        { name: 'size', unit: 'kB' },
        { name: 'first', unit: 'ms' },
        { name: 'later', unit: 'ms' },
        { name: 'later, each bin', unit: 'CPU us' },
      ],
      rows: [...plain, ...hashed],
      // 65,536 entries with hashes are more than the 8 MB that a snapshot may have.
      targets: [buildTarget(plain[1], plain[3]), buildTarget(hashed[1], hashed[2])],
      notes: [
        'each bin costs more where all is large: a third of the time at 8.7 MB is collecting garbage',
      ],
    }
  },
}

async function measureSizes(context: CaseContext, hasHashes: boolean): Promise<Row[]> {
  const rows: Row[] = []
  for (const bins of sizes) {
    const row = await measure(context, { by: 'tufgate', bins, hasHashes })
    const each = (row.values['later, CPU'] ?? []).map((ms) => (ms * 1000) / bins)
    rows.push({ ...row, values: { ...row.values, 'later, each bin': each } })
  }
  return rows
}

function buildTarget(small: Row | undefined, large: Row | undefined): Target {
  return {
    what: `each bin: ${large?.label} against ${small?.label}`,
    wanted: wantedGrowth,
    found: eachOf(large) / eachOf(small),
    unit: 'times',
    rule: 'at most',
  }
}

function eachOf(row: Row | undefined): number {
  return medianOf(row?.values['later, each bin'] ?? [])
}
