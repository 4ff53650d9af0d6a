/** A question that a person answers at the terminal. */

import { createInterface } from 'node:readline/promises'

/** `undefined` where nobody is there to answer. Anything but "y" or "yes" is a no. */
export async function askYes(question: string): Promise<boolean | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(?:es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim())
  } catch (error) {
    // Ctrl-C and Ctrl-D: whoever goes away has not agreed.
    if (error instanceof Error && error.name === 'AbortError') {
      process.stderr.write('\n')
      return false
    }
    throw error
  } finally {
    terminal.close()
  }
}
