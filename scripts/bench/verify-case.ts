/** Verifying a snapshot: parse, canonicalise, check the signature and the rollback rules. */

import { runScript } from './child.ts'
import type { BenchCase, CaseContext, Row } from './result.ts'
import { medianOf } from './statistics.ts'
import type { VerifyInput, VerifyReport } from './verify-metadata.ts'

const warmTimes = 7

export const verifyCase: BenchCase = {
  name: 'verify',
  title: 'verify a snapshot, side by side with tuf-js (the first time in a process, and later)',
  async run(context) {
    const large = await measure(context, { by: 'tufgate', bins: 16_384, hasHashes: false })
    const rows = [large]
    const ratios: number[] = []
    for (const hasHashes of [false, true]) {
      const ours = await measure(context, { by: 'tufgate', bins: 4096, hasHashes })
      const theirs = await measure(context, { by: 'tuf-js', bins: 4096, hasHashes })
      rows.push(ours, theirs)
      ratios.push(firstMs(theirs) / firstMs(ours))
    }
    return {
      columns: [
        { name: 'size', unit: 'kB' },
        { name: 'first', unit: 'ms' },
        { name: 'first, CPU', unit: 'ms' },
        { name: 'later', unit: 'ms' },
      ],
      rows,
      targets: [
        {
          what: '16,384 bins, the first time',
          wanted: 50,
          found: firstMs(large),
          unit: 'ms',
          rule: 'at most',
        },
        {
          what: 'faster than tuf-js, 4,096 bins',
          wanted: 100,
          found: ratios[0] ?? 0,
          unit: 'times',
          rule: 'at least',
        },
        {
          what: 'faster than tuf-js, 4,096 bins with hashes',
          wanted: 100,
          found: ratios[1] ?? 0,
          unit: 'times',
          rule: 'at least',
        },
      ],
      notes: [
        'tuf-js: Metadata.fromJSON and verifyDelegate of its own models; it copies the map for each entry',
      ],
    }
  },
}

/** Each run is a fresh process. tuf-js takes seconds: it is asked less often. */
export async function measure(
  { runs, say }: CaseContext,
  shape: Omit<VerifyInput, 'times'>,
): Promise<Row> {
  const isSlow = shape.by === 'tuf-js'
  const reports: VerifyReport[] = []
  for (let run = 1; run <= (isSlow ? Math.min(3, runs) : runs); run += 1) {
    say(`${shape.by}, ${shape.bins} bins, run ${run}`)
    const input: VerifyInput = { ...shape, times: isSlow ? 2 : warmTimes }
    reports.push(await runScript<VerifyReport>('verify-metadata.ts', input))
  }
  const { by, bins, hasHashes } = shape
  return {
    label: `${by}, ${bins.toLocaleString('en')} bins${hasHashes ? ' with hashes' : ''}`,
    values: {
      size: [(reports[0]?.bytes ?? 0) / 1000],
      first: reports.map((report) => report.ms[0] ?? Number.NaN),
      'first, CPU': reports.map((report) => report.cpuMs[0] ?? Number.NaN),
      later: reports.flatMap((report) => report.ms.slice(1)),
      'later, CPU': reports.flatMap((report) => report.cpuMs.slice(1)),
    },
  }
}

function firstMs({ values }: Row): number {
  return medianOf(values['first'] ?? [])
}
