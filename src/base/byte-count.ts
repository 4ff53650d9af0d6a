/** Numbers of bytes for people, in units of 1000. */

const units = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const

/** `999 bytes`, `1.0 kB`, `123 kB`. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let at = 0
  for (; value >= 1000 && at < units.length - 1; at += 1) value /= 1000
  return `${at === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[at] ?? ''}`
}
