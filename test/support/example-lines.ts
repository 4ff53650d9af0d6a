/** What the examples of pipelines run, read out of their YAML: as much of it as they use, no more. */

export interface ExampleStep {
  readonly name: string
  readonly script: string
  /** `if: always()`: also after a step that failed. */
  readonly isAlways: boolean
}

/** Of GitHub Actions: the steps with `run`. */
export function readSteps(yaml: string): ExampleStep[] {
  return yaml
    .split(/^ {6}- /m)
    .slice(1)
    .flatMap((step) => {
      const [, name = ''] = /name: (.*)/.exec(step) ?? []
      const [, line, block] = /^ {8}run: (?:\|\n((?: {10}.*\n)+)|(.*))/m.exec(step) ?? []
      const script = line ?? block
      if (script === undefined) return []
      return [
        {
          name,
          script: script.replaceAll(/^ {10}/gm, ''),
          isAlways: step.includes('if: always()'),
        },
      ]
    })
}

/** The items of a list of plain scalars, which stands below `key:`. */
export function readList(yaml: string, key: string): string[] {
  const block = findBlock(yaml, key)
  return block.flatMap((line) => /^ *- (.*)$/.exec(line)?.[1] ?? [])
}

/** The members of a map of scalars, which stands below `key:`. */
export function readMap(yaml: string, key: string): Record<string, string> {
  const members = findBlock(yaml, key).flatMap((line) => {
    const [, name, value = ''] = /^ *([A-Z_]+): (.*?)(?: +#.*)?$/.exec(line) ?? []
    return name === undefined ? [] : [[name, value.replaceAll(/^"|"$/g, '')] as const]
  })
  return Object.fromEntries(members)
}

/** Its lines are deeper than the key; comments may stand between them. */
function findBlock(yaml: string, key: string): string[] {
  const lines = yaml.split('\n')
  const at = lines.findIndex((line) => line.trim() === `${key}:`)
  if (at < 0) throw new Error(`there is no ${key}:`)
  const depth = depthOf(lines[at])
  const rest = lines.slice(at + 1)
  const end = rest.findIndex((line) => line.trim() !== '' && depthOf(line) <= depth)
  return (end < 0 ? rest : rest.slice(0, end)).filter((line) => !line.trim().startsWith('#'))
}

function depthOf(line = ''): number {
  return line.length - line.trimStart().length
}
