/** A JSON text with one or a few of its values, names or places changed, and nothing else. */

import type { Dice } from './dice.ts'

const oddTexts: readonly string[] = [
  '',
  ' ',
  '.',
  '..',
  '../x',
  'a/b',
  '__proto__',
  'constructor',
  'a\0b',
  '\u{1f600}',
  '\u{fffd}',
  '\ud800',
  '2030-01-01T00:00:00Z',
  '2030-02-30T00:00:00Z',
  'root',
  'targets',
  'https://x.test/foo-1.0.tar.gz',
  'javascript:alert(1)',
  '<script>',
  'sha256=',
  '0'.repeat(64),
  'a'.repeat(5000),
]

const oddValues: readonly unknown[] = [
  ...oddTexts,
  null,
  true,
  false,
  0,
  1,
  -1,
  1.5,
  2 ** 31,
  2 ** 53,
  1e300,
  [],
  {},
  [[]],
  [null],
  { '': 0 },
]

/** `undefined` where it is no JSON. */
export function mutateJson(dice: Dice, text: string): string | undefined {
  const root = parseOrNothing(text)
  if (root === undefined) return undefined
  const changes = 1 + dice.roll(3)
  for (let done = 0; done < changes; done += 1) changeOne(dice, root)
  const bent = render(dice, root)
  return dice.roll(8) === 0 ? doubleMember(dice, bent) : bent
}

function parseOrNothing(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    // Lines and other texts have ways of their own.
    return undefined
  }
}

type Holder = Record<string, unknown>

interface Place {
  readonly holder: Holder
  readonly name: string
}

function listPlaces(node: unknown, places: Place[] = []): Place[] {
  if (typeof node !== 'object' || node === null) return places
  for (const [name, child] of Object.entries(node)) {
    places.push({ holder: node as Holder, name })
    listPlaces(child, places)
  }
  return places
}

function changeOne(dice: Dice, root: object): void {
  const places = listPlaces(root)
  const place = dice.pick(places)
  const other = dice.pick(places)
  if (place === undefined || other === undefined) return
  const { holder, name } = place
  switch (dice.roll(7)) {
    case 0:
      if (Array.isArray(holder)) holder.splice(Number(name), 1)
      else delete holder[name]
      return
    case 1:
      put(holder, dice.pick(oddTexts) ?? '', holder[name])
      return
    case 2:
      // A copy: the same value twice would be a circle in the end.
      put(holder, name, structuredClone(other.holder[other.name]))
      return
    case 3:
      put(holder, name, nudge(dice, holder[name]))
      return
    case 4:
      put(holder, other.name, structuredClone(holder[name]))
      return
    default:
      put(holder, name, structuredClone(dice.pick(oddValues)))
  }
}

function nudge(dice: Dice, value: unknown): unknown {
  if (typeof value === 'number') return value + dice.pick([-1, 1, 0.5, 2 ** 40])
  if (typeof value === 'boolean') return !value
  if (typeof value !== 'string') return [value]
  const at = dice.roll(value.length + 1)
  return `${value.slice(0, at)}${dice.pick(oddTexts) ?? ''}${value.slice(at + dice.roll(3))}`
}

/** `__proto__` is a name like any other; an array has places and nothing else. */
function put(holder: Holder, name: string, value: unknown): void {
  if (Array.isArray(holder) && !/^\d{1,4}$/.test(name)) return
  Object.defineProperty(holder, name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  })
}

function render(dice: Dice, root: object): string {
  return dice.roll(4) === 0 ? JSON.stringify(root, undefined, 1) : JSON.stringify(root)
}

function doubleMember(dice: Dice, text: string): string {
  const members = [...text.matchAll(/"[^"\\]*":\s*(?:"[^"\\]*"|\d+|true|false|null)/g)]
  const member = dice.pick(members)
  if (member === undefined) return text
  const end = member.index + member[0].length
  return `${text.slice(0, end)},${member[0]}${text.slice(end)}`
}
