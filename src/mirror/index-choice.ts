/**
 * Which index a mirror follows. It is remembered from the first project that it had: another one,
 * given by mistake or by somebody else, would sign other files under the same names.
 */

import { ConfigError } from '../base/errors.ts'
import type { IndexPort } from './index-port.ts'
import type { Mirror } from './open-mirror.ts'
import { settings } from './settings.ts'

export interface IndexChoice {
  /** URL of the index (`https://pypi.org/simple/`) or a folder that contains `simple/`. */
  readonly index?: string
  /** Where a folder is served: the URL of what contains `simple/`. */
  readonly baseUrl?: string
  /** Hosts on which files may be, besides the index's own. */
  readonly fileHosts?: readonly string[]
  /** Whom the operator of the index can write to: a mail address or URL, for the User-Agent. */
  readonly contact?: string
  /** Another index than the remembered one is meant. */
  readonly acceptIndex?: boolean
}

export interface IndexAddress {
  readonly index: string
  readonly baseUrl?: string
  readonly fileHosts?: readonly string[]
  readonly contact?: string
}

export type OpenIndex = (address: IndexAddress) => Promise<IndexPort>

export interface ChosenIndex {
  readonly port: IndexPort
  /** Once it is known to be an index, and before anything of it is signed. */
  remember(): void
}

/** Opens the index that is given or remembered. Throws CONFIG_INVALID where they differ. */
export async function chooseIndex(
  mirror: Mirror,
  choice: IndexChoice,
  openIndex: OpenIndex,
): Promise<ChosenIndex> {
  const known = mirror.settings.find(settings.index)
  const index = requireIndex(choice, known)
  const knownBase = mirror.settings.find(settings.baseUrl)
  const baseUrl = choice.baseUrl ?? knownBase
  const knownHosts = mirror.settings.find(settings.fileHosts)
  const fileHosts = choice.fileHosts ?? knownHosts
  if (choice.contact !== undefined) mirror.settings.put(settings.contact, choice.contact)
  const contact = mirror.settings.find(settings.contact)
  const port = await openIndex({
    index,
    ...(baseUrl !== undefined && { baseUrl }),
    ...(fileHosts !== undefined && { fileHosts }),
    ...(contact !== undefined && { contact }),
  })
  const isSame =
    index === known &&
    baseUrl === knownBase &&
    JSON.stringify(fileHosts) === JSON.stringify(knownHosts)
  // Somebody says that it is another one, or was set back: its serials begin anew.
  if (choice.acceptIndex === true) forgetSerials(mirror)
  // What was left out may be let in now, and the other way round.
  if (!isSame) {
    mirror.ledger.forgetEtags()
    mirror.settings.put(settings.listValidator, '')
  }
  let isRemembered = isSame
  const remember = (): void => {
    if (isRemembered) return
    isRemembered = true
    mirror.ledger.database.transaction(() => {
      mirror.settings.put(settings.index, index)
      if (baseUrl !== undefined) mirror.settings.put(settings.baseUrl, baseUrl)
      if (fileHosts !== undefined) mirror.settings.put(settings.fileHosts, [...fileHosts])
    })
  }
  return { port, remember }
}

function requireIndex({ index, acceptIndex }: IndexChoice, known: string | undefined): string {
  if (index === undefined && known === undefined) {
    throw new ConfigError('CONFIG_INVALID', 'The mirror does not know which index to follow', {
      next: 'Give it once: --index https://pypi.org/simple/',
    })
  }
  if (index !== undefined && known !== undefined && index !== known && acceptIndex !== true) {
    throw new ConfigError('CONFIG_INVALID', `The mirror follows ${known}, not ${index}`, {
      expected: known,
      found: index,
      next: 'Leave --index out, or say --accept-index if the index has moved.',
    })
  }
  return index ?? known ?? ''
}

function forgetSerials(mirror: Mirror): void {
  mirror.ledger.database.transaction(() => {
    mirror.ledger.forgetSerials()
    mirror.holds.forgetSerials()
    mirror.settings.put(settings.listSerial, 0)
  })
}
