/** One attack: what is done to somebody who installs, without tufgate and behind it, and what must hold there. */

import type { Pip } from './pip.ts'
import type { World } from './world.ts'

export interface Scene {
  readonly pip: Pip
  /** Thrown away afterwards: home, temporary files and environment of whoever is attacked. */
  readonly folder: string
  /** The one that many attacks share, each with projects of its own; behind the proxy it has a proxy. */
  readonly world: World
}

/** What was seen, and nothing of what was expected. */
export interface Observed {
  /** What was done to the victim; absent: nothing that he would mind. */
  readonly harm?: string
  /** In a few words: `foo 1.1 installed`, `nothing installed`, `still reading after 15 s`. */
  readonly happened: string
  /** `null`: no program of the victim, or one that was cut off. */
  readonly exitCode: number | null
  /** The line that the victim read; empty: none. */
  readonly line: string
  /** Of refusals and warnings in the audit log, in their order, each once. */
  readonly codes: readonly string[]
  /** Whatever else was measured: `300 MB read`, `at most 1 unverified byte left`. */
  readonly notes: readonly string[]
}

export interface Attack {
  /** Row of the table of attacks in SECURITY.md: `A1b`, `W3`, `K2`, `F1`. */
  readonly row: string
  /** The variant, in words; unique in its row. */
  readonly name: string
  /** Part of the quick run. */
  readonly isCore?: true
  /** Mostly waits, for about so many seconds: beside the others, the longest first. */
  readonly waitS?: number
  /** Has a proxy that others like it have too: one after the other, beside the rest. */
  readonly isInTurn?: true
  /** Which pips are the victims; `machine`: the one of this machine alone, or none is needed. */
  readonly pips: 'each' | 'machine'
  /** In the shared world, before the mirror has seen it: honest projects. */
  readonly publish?: (world: World) => void
  /** In the shared world, before the mirror looks for the second time: what the index does, it sees. */
  readonly change?: (world: World) => void
  /** In the shared world, afterwards: the index, or its file host, turns hostile. */
  readonly turn?: (world: World) => void
  /** Without tufgate; a sentence where there is nothing to compare with. */
  readonly alone: string | ((scene: Scene) => Promise<Observed>)
  readonly behind: (scene: Scene) => Promise<Observed>
  /**
   * A limit that the documents own up to, in words: harm is not wrong by itself then, and `judge`
   * says which harm there must be; less than that is wrong too, as the documents say more.
   */
  readonly limit?: string
  /** What is not as it must be, behind the proxy; harm is always wrong where there is no `limit`. */
  readonly judge: (observed: Observed) => readonly string[]
  /** What its rows share is closed: once everything has run. */
  readonly finish?: () => Promise<void>
}
