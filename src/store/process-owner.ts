/** Which process made a file, and whether it still lives. */

export interface ProcessOwner {
  /** Of letters, digits and full stops. */
  readonly id: string
  isAlive(id: string): boolean
}

export function currentOwner(): ProcessOwner {
  throw new Error('to come')
}
