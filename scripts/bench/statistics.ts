/** What is said of several runs of the same thing: the median, and how far they lie apart. */

export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

export function summarize(values: readonly number[]): Spread {
  const sorted = values.toSorted((one, other) => one - other)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2
  return { median, least: sorted[0] ?? Number.NaN, most: sorted.at(-1) ?? Number.NaN }
}

export function medianOf(values: readonly number[]): number {
  return summarize(values).median
}

/** Three digits that count, whatever the size. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '-'
  const magnitude = Math.abs(value)
  if (magnitude >= 100) return value.toFixed(0)
  if (magnitude >= 10) return value.toFixed(1)
  if (magnitude >= 1) return value.toFixed(2)
  return magnitude === 0 ? '0' : value.toPrecision(2)
}
