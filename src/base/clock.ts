/** Time as the program uses it: milliseconds since 1970, and the one written form of TUF. */

/** Milliseconds since the epoch. Handed in by the composition root, so that tests can move it. */
export type Clock = () => number

/** TUF 4.2.3: exactly `YYYY-MM-DDTHH:MM:SSZ`. `undefined` for anything else, 31 February too. */
export function parseUtcSeconds(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/.test(text)) return undefined
  const time = Date.parse(text)
  return Number.isNaN(time) || formatUtcSeconds(time) !== text ? undefined : time
}

export function formatUtcSeconds(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`
}

const units: readonly (readonly [number, string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
]

/** A span for a sentence, in its largest whole unit: `3 h`, `12 min`. */
export function formatSpan(milliseconds: number): string {
  const [size, unit] = units.find(([length]) => milliseconds >= length) ?? [1000, 's']
  return `${Math.floor(milliseconds / size)} ${unit}`
}
