/**
 * A page of Markdown as something that can be run: its blocks of shell commands in order, and between
 * them the events that the page tells of (`<!-- event: NAME ARGUMENT... -->`), which a test brings about.
 */

export type RunbookStep =
  | { readonly kind: 'section'; readonly title: string; readonly line: number }
  | { readonly kind: 'commands'; readonly text: string; readonly line: number }
  | { readonly kind: 'event'; readonly name: string; readonly words: readonly string[] }

/** Blocks that are not marked `sh` are for reading alone. */
export function readRunbook(markdown: string): RunbookStep[] {
  const steps: RunbookStep[] = []
  const pattern =
    /^## (?<title>.+)$|^<!-- event: (?<event>.+) -->$|^```(?<language>\w*)\n(?<text>[\s\S]*?)^```$/gm
  for (const { groups = {}, index } of markdown.matchAll(pattern)) {
    const { title, event, language, text = '' } = groups
    const line = markdown.slice(0, index).split('\n').length
    if (title !== undefined) steps.push({ kind: 'section', title, line })
    else if (event !== undefined) {
      const [name = '', ...words] = event.split(' ')
      steps.push({ kind: 'event', name, words })
    } else if (language === 'sh') steps.push({ kind: 'commands', text, line })
  }
  return steps
}
