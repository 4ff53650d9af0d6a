/** Durations and sizes as people write them in the settings: a number and a unit, never a bare number. */

const durationUnits: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['min', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])

const sizeUnits: ReadonlyMap<string, number> = new Map([
  ['B', 1],
  ['kB', 1000],
  ['KiB', 1024],
  ['MB', 1_000_000],
  ['MiB', 1_048_576],
  ['GB', 1_000_000_000],
  ['GiB', 1_073_741_824],
])

/** For those who wrote none: `m` could be a minute or a month. */
export const durationWords =
  'a number with a unit: ms, s, min, h or d, such as "5min", "24h" or "7d"'

/** `60s`, `5 min`, `24h`, `3d` in milliseconds; `undefined` where it is not a duration. */
export function parseDuration(text: string): number | undefined {
  return parseQuantity(text, durationUnits)
}

/** `16 MiB`, `512 kB` in bytes; `undefined` where it is not a size. */
export function parseSize(text: string): number | undefined {
  return parseQuantity(text, sizeUnits)
}

function parseQuantity(text: string, units: ReadonlyMap<string, number>): number | undefined {
  const [, digits = '', unit = ''] =
    /^(\d{1,12}(?:\.\d{1,3})?) ?([A-Za-z]+)$/.exec(text.trim()) ?? []
  const factor = units.get(unit)
  if (factor === undefined) return undefined
  const value = Math.round(Number(digits) * factor)
  return Number.isSafeInteger(value) ? value : undefined
}
