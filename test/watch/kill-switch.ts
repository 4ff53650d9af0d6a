/**
 * Kills the process that is not one: from a chosen step on, nothing of a mirror reaches the disk any
 * more. Steps are renames, links, removals and what is written to a database; half of them die just
 * before they happen, half just after.
 */

import type * as files from 'node:fs'
import type * as promises from 'node:fs/promises'
import { vi } from 'vitest'
import { Database } from '../../src/store/database.ts'

class Killed extends Error {
  constructor() {
    super('killed')
    this.name = 'Killed'
  }
}

class KillSwitch {
  #left = Infinity
  #onDeath: () => void = () => undefined
  isDead = false
  steps = 0
  /** Whoever looks at the tree in the middle of what is being done to it. */
  interlude: () => Promise<void> = () => Promise.resolve()

  arm(steps: number, onDeath: () => void): void {
    this.#left = steps
    this.#onDeath = onDeath
    this.isDead = false
  }

  disarm(): void {
    this.#left = Infinity
    this.isDead = false
  }

  /** For what another process does meanwhile, which may be killed too. Whether it was. */
  async spare(work: () => Promise<void>, steps = Infinity): Promise<boolean> {
    const kept = { left: this.#left, onDeath: this.#onDeath, interlude: this.interlude }
    this.arm(steps, () => undefined)
    this.interlude = () => Promise.resolve()
    try {
      await work()
      return false
    } catch (error) {
      if (!this.isDead) throw error
      return true
    } finally {
      this.arm(kept.left, kept.onDeath)
      this.interlude = kept.interlude
    }
  }

  strike(): void {
    if (this.isDead) throw new Killed()
    this.steps += 1
    this.#left -= 1
    if (this.#left > 0) return
    this.isDead = true
    this.#onDeath()
    throw new Killed()
  }
}

export const killSwitch = new KillSwitch()

function wrap<A extends unknown[]>(work: (...args: A) => Promise<void>) {
  return async (...args: A): Promise<void> => {
    killSwitch.strike()
    await work(...args)
    await killSwitch.interlude()
    killSwitch.strike()
  }
}

/** For `vi.mock('node:fs/promises')`. */
export function wrapPromises(real: typeof promises): typeof promises {
  const open: typeof real.open = async (...args) => {
    const handle = await real.open(...args)
    // A process that is killed loses nothing that it has written: only a power cut does.
    handle.sync = () => Promise.resolve()
    return handle
  }
  return { ...real, open, rename: wrap(real.rename), link: wrap(real.link), rm: wrap(real.rm) }
}

function succeed(_descriptor: number, done: () => void): void {
  queueMicrotask(done)
}

/** For `vi.mock('node:fs')`: health, the state of the check. Locks are let go of, as by the kernel. */
export function wrapFiles(real: typeof files): typeof files {
  const renameSync: typeof real.renameSync = (from, to) => {
    killSwitch.strike()
    real.renameSync(from, to)
    killSwitch.strike()
  }
  return { ...real, renameSync, fsync: succeed as typeof real.fsync, fsyncSync: () => undefined }
}

type Method<F extends (...args: never[]) => unknown> = (
  this: Database,
  ...args: Parameters<F>
) => ReturnType<F>

export function wrapDatabase(): void {
  const run = Reflect.get(Database.prototype, 'run') as Method<Database['run']>
  const transaction = Reflect.get(Database.prototype, 'transaction') as Method<
    Database['transaction']
  >
  vi.spyOn(Database.prototype, 'run').mockImplementation(function (this: Database, ...args) {
    killSwitch.strike()
    if (args[0].startsWith('PRAGMA synchronous')) return run.call(this, 'PRAGMA synchronous = OFF')
    return run.apply(this, args)
  })
  vi.spyOn(Database.prototype, 'transaction').mockImplementation(function <T>(
    this: Database,
    work: () => T,
  ): T {
    const result = transaction.call(this, () => {
      const done = work()
      // Just before the commit.
      killSwitch.strike()
      return done
    }) as T
    killSwitch.strike()
    return result
  })
}
