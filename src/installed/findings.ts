/** What was found of each file, once: where two distributions have the same file, the better word holds. */

/** The first four are in order. */
export type FileClass =
  | 'same'
  | 'generated'
  | 'byte-code'
  | 'environment'
  | 'changed'
  | 'missing'
  | 'unreadable'
  | 'unknown'
  | 'untraced'

export interface Finding {
  readonly path: string
  readonly class: FileClass
  /** `name version` of the distribution that it belongs to. */
  readonly distribution?: string
  readonly reason?: string
  /** The interpreter that a script starts, where nothing says which it should be. */
  readonly starts?: string
}

const inOrder: ReadonlySet<FileClass> = new Set(['same', 'generated', 'byte-code', 'environment'])

const strength: readonly FileClass[] = [
  'same',
  'generated',
  'byte-code',
  'environment',
  'changed',
  'unreadable',
  'missing',
  'untraced',
  'unknown',
]

export function isInOrder(finding: Finding): boolean {
  return inOrder.has(finding.class)
}

export class Findings {
  readonly #byPath = new Map<string, Finding>()

  add(finding: Finding): void {
    const known = this.#byPath.get(finding.path)
    if (known === undefined || isBetter(finding, known)) this.#byPath.set(finding.path, finding)
  }

  /** Whatever a wheel has at its place. */
  overrule(finding: Finding): void {
    this.#byPath.set(finding.path, finding)
  }

  find(path: string): Finding | undefined {
    return this.#byPath.get(path)
  }

  get all(): readonly Finding[] {
    return [...this.#byPath.values()]
  }
}

/** Whichever was looked at first: the outcome is the same. */
function isBetter(finding: Finding, known: Finding): boolean {
  const rank = strength.indexOf(finding.class) - strength.indexOf(known.class)
  return rank < 0 || (rank === 0 && (finding.distribution ?? '') < (known.distribution ?? ''))
}

/** What runs by itself comes first. */
export function findDanger({ path }: Pick<Finding, 'path'>): number {
  const name = path.slice(path.lastIndexOf('/') + 1)
  if (name.endsWith('.pth')) return 0
  if (/(?:^|\/)(?:sitecustomize|usercustomize)(?:\.[^/]+)?(?:\/|$)/.test(path)) return 1
  if (/\.(?:so|pyd|dylib)(?:\.[\d.]+)?$/.test(name)) return 2
  if (path.startsWith('bin/')) return 3
  if (name.endsWith('.pyc') && !path.includes('__pycache__/')) return 4
  if (name.endsWith('.py')) return 5
  return name.endsWith('.pyc') ? 7 : 6
}

/** The most dangerous first, then by path: the same findings in the same order, always. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  const keyed = findings.map((finding) => ({ finding, danger: findDanger(finding) }))
  keyed.sort(
    (left, right) =>
      left.danger - right.danger || compareText(left.finding.path, right.finding.path),
  )
  return keyed.map(({ finding }) => finding)
}

/** By code units: the same on every machine. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0
  return left < right ? -1 : 1
}
