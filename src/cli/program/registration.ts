/** What every file of commands needs to register its own. */

/** Ends with the exit code of the command. */
export type Run = (action: () => Promise<number>) => Promise<void>

export function example(...lines: readonly string[]): string {
  return `\nExample${lines.length > 1 ? 's' : ''}:\n${lines.map((line) => `  ${line}`).join('\n')}`
}
