/** A word of a command that somebody may copy into a shell: whatever is in it stays one word. */

export function quoteShell(word: string): string {
  return /^[\w/.,:@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}
