/** Watches what a proxy trusts from start to start: in its answers, and in its floors on disk. */

import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { FloorStore } from '../../src/store/floors.ts'

export class TrustWitness {
  /** By role: the highest version that was ever seen. */
  readonly #versions = new Map<string, number>()
  readonly #floors = new Map<string, number>()

  /** `root=1 timestamp=41 snapshot=40`, from the header of an answer. */
  noteAnswer(header: string): void {
    for (const part of header.split(' ')) {
      const [role = '', version = ''] = part.split('=')
      requireRaised(this.#versions, role, Number(version))
    }
  }

  /** Of a proxy that does not run. The files are copied: to open them is to mend them. */
  async noteFloors(stateFolder: string): Promise<void> {
    const path = join(stateFolder, 'floors.db')
    const copies = await mkdtemp(join(tmpdir(), 'tufgate-floors-'))
    // One that was killed before it had made the folder has trusted nothing.
    const names = existsSync(stateFolder) ? await readdir(stateFolder) : []
    for (const name of names) {
      if (name.startsWith(basename(path)))
        await copyFile(join(stateFolder, name), join(copies, name))
    }
    const damage: string[] = []
    const onDamaged = (message: string): void => void damage.push(message)
    const store = FloorStore.open(join(copies, 'floors.db'), { onDamaged })
    const { versions, signedAt, epoch } = store.read()
    store.close()
    if (damage.length > 0) throw new Error(damage.join('; '))
    for (const [role, version] of versions) requireRaised(this.#floors, role, version)
    requireRaised(this.#floors, 'signed at', signedAt)
    requireRaised(this.#floors, 'epoch', epoch)
    for (const role of this.#floors.keys()) {
      const isThere = versions.has(role) || role === 'signed at' || role === 'epoch'
      if (!isThere) throw new Error(`the floor of ${role} is gone`)
    }
    await rm(copies, { recursive: true })
  }
}

function requireRaised(highest: Map<string, number>, name: string, found: number): void {
  const before = highest.get(name) ?? 0
  if (!(found >= before)) throw new Error(`${name} went down from ${before} to ${found}`)
  highest.set(name, found)
}
