/**
 * A world whose mirror is robbed: the thief has a copy of its folder with the keys in it, a tree of his
 * own that he signs with them, and, if it is shown to the proxy, the delivery path. The operator
 * replaces keys as he would: a change is prepared, signed by those who hold offline keys, published.
 */

import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeUtf8, type Bytes } from '../../../src/base/bytes.ts'
import type { ManagedRole } from '../../../src/ceremony/role-keys.ts'
import { offlineRoles, onlineRoles, type OnlineRole } from '../../../src/mirror/role-names.ts'
import { buildPrivateKey, putKeyFile } from '../../../src/signing/key-file.ts'
import {
  Ceremony,
  newPerson,
  readChecked,
  signAll,
} from '../../../test/ceremony/ceremony-fixture.ts'
import { MirrorFixture } from '../../../test/mirror/mirror-fixture.ts'
import { OnlineThief } from '../../../test/mirror/online-thief.ts'
import { sha256, type Wheel } from '../../../test/support/build-wheel.ts'
import { serve } from '../../../test/support/hostile-server.ts'
import type { Observed } from '../attack.ts'
import { buildEvil, buildGenuine } from '../genuine.ts'
import { HostileMirror } from '../hostile-mirror.ts'

/** Of the comparison with pip alone. */
export const noKeysAlone = 'there are no keys to steal: whoever delivers a page decides (A1b)'
/** Newer than everything honest. */
export const evilVersion = '6.6'
export const recordPath = (project: string): string => `simple/${project}/index.json`

export class StolenMirror {
  readonly mirror: HostileMirror
  readonly #fixture: MirrorFixture
  #thefts = 0

  private constructor(mirror: HostileMirror) {
    this.mirror = mirror
    this.#fixture = new MirrorFixture(mirror.world.trial.folder)
  }

  static async open(): Promise<StolenMirror> {
    return new StolenMirror(await HostileMirror.open())
  }

  /** Whoever signs by hand does it now. */
  get ceremony(): Ceremony {
    this.#fixture.now = Date.now()
    return new Ceremony(this.#fixture)
  }

  /** Wheels of these versions, seen and signed by the mirror. */
  async release(project: string, ...versions: readonly string[]): Promise<void> {
    const { world } = this.mirror
    world.publish(
      project,
      versions.map((version) => buildGenuine(project, version)),
    )
    await world.sign()
  }

  /** Copies of the online keys and of these offline ones, and of everything that is published. */
  async rob(offlineKeys: readonly string[] = []): Promise<Robbery> {
    return this.robOf(onlineRoles, offlineKeys)
  }

  /** In the place of the other online keys he has made his own. */
  async robOf(roles: readonly OnlineRole[], offlineKeys: readonly string[]): Promise<Robbery> {
    const { folder, mirror, published } = this.mirror.world.trial
    this.#thefts += 1
    const directory = join(folder, `thief-${this.#thefts}`)
    const keys = join(directory, 'keys')
    await cp(published, join(directory, 'public'), { recursive: true })
    await mkdir(keys, { mode: 0o700 })
    for (const role of onlineRoles) {
      const file = `${role}.pem`
      if (roles.includes(role)) await cp(join(mirror, 'keys', file), join(keys, file))
      else await putKeyFile(join(keys, file), await buildPrivateKey('ed25519'))
    }
    const others = offlineKeys.map((name) => join(`${mirror}-offline-keys`, `${name}.pem`))
    return { thief: await OnlineThief.rob(directory, others), tree: join(directory, 'public') }
  }

  /** What he would have clients take; its file is at the index. */
  renderEvilRecord(project: string): Bytes {
    const wheel = buildEvil(project, evilVersion)
    this.mirror.world.trial.index.on(`/files/${wheel.filename}`, serve(wheel.bytes))
    return encodeUtf8(JSON.stringify(this.#renderRecord(project, wheel)))
  }

  #renderRecord(project: string, { filename, bytes }: Wheel): object {
    const url = this.mirror.world.trial.index.url(`/files/${filename}`)
    return {
      meta: { 'api-version': '1.4' },
      name: project,
      versions: [evilVersion],
      files: [{ filename, url, hashes: { sha256: sha256(bytes) }, size: bytes.length }],
    }
  }

  /** The next root: other keys for these roles, signed by those who hold what it takes. */
  async replaceKeys(...roles: readonly ManagedRole[]): Promise<void> {
    const { ceremony } = this
    const root = await ceremony.offline('root-1')
    const held = await Promise.all(['targets', 'bins'].map((role) => ceremony.offline(role)))
    const added = await Promise.all(
      offlineRoles
        .filter((role) => roles.includes(role))
        .map(async (role) => ({ role, key: await newPerson() })),
    )
    const stolen = roles.map((role) => ({ role, ...(role === 'root' && { keyid: root.keyid }) }))
    // As `init` makes it: one root key.
    const bytes = await ceremony.prepare({ stolen, addKeys: added, acceptLossRisk: true })
    const { documents } = readChecked(bytes)
    const holders = [root, ...held, ...added.map(({ key }) => key)].filter(({ keyid }) =>
      documents.some(({ keys }) => keys.has(keyid)),
    )
    await ceremony.publish(await signAll(bytes, ...holders))
  }

  /** The newest that the proxy offers, and whether it is evil or old. */
  async look(project: string): Promise<string> {
    const { status, text } = await this.mirror.ask(`/simple/${project}/`)
    if (status !== 200) return `refused with ${status}`
    const versions = Array.from(text.matchAll(/>[\w.]+-(\d[\d.]*)-py3-/g), ([, found]) => found)
    const newest = versions.at(-1)
    const isNewest = newest === this.mirror.world.newestOf(project)
    const kind = newest === evilVersion ? 'EVIL ' : isNewest ? '' : 'OLD '
    return newest === undefined ? 'nothing offered' : `${kind}${newest} offered`
  }

  /** The next request waits for a look at the mirror. */
  async lookAgain(project: string): Promise<string> {
    await this.mirror.passTime()
    return this.look(project)
  }
}

export interface Robbery {
  readonly thief: OnlineThief
  /** To be shown to proxies. */
  readonly tree: string
}

export async function inStolenMirror(
  act: (stolen: StolenMirror) => Promise<Observed>,
): Promise<Observed> {
  const stolen = await StolenMirror.open()
  try {
    return await act(stolen)
  } finally {
    await stolen.mirror.close()
  }
}
