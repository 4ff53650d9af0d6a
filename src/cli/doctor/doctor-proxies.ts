/**
 * Which addresses are this proxy: those of the settings, and those where a proxy of another command
 * answers that the user has sent an installer to.
 */

import { sep } from 'node:path'
import type { Finding } from '../../doctor/finding.ts'
import { describeOtherProxy, isTufgate, type ProbedProxy } from '../../doctor/judge-proxy.ts'
import { isLocalAddress, OwnAddresses, type OwnAddressOptions } from '../../doctor/own-address.ts'
import { createLocalClient, probeProxy } from './doctor-network.ts'
import type { FoundReferences } from './doctor-references.ts'
import { parseListenAddress } from '../listen-address.ts'
import { isHttpUrl } from '../location.ts'
import type { Settings } from '../settings.ts'

export interface Probe {
  /** Of an index. */
  readonly index: string
  /** Whether the settings say so; others were found in settings of installers. */
  readonly isConfigured: boolean
  readonly proxy: ProbedProxy
}

const maxProbes = 16

/**
 * Where the settings listen, and every other address of this machine that the user himself sends an
 * installer to. What a project says is not believed so far that a request is made to it.
 */
export async function probeAll(
  { references }: FoundReferences,
  { settings, folder }: { readonly settings: Settings; readonly folder: string },
): Promise<Probe[]> {
  const own = new OwnAddresses(ownOptions(settings))
  const configured = settings.listen
    .map(parseListenAddress)
    .filter(({ port }) => port !== 0)
    .map(({ host, port }) => new OwnAddresses({ listen: [{ host, port }], hosts: [] }).index)
  const others = references
    .filter(({ place }) => !place.startsWith(folder + sep))
    .filter(({ reference: { kind } }) => kind === 'index')
    .map(({ reference: { value } }) => value.trim())
    .filter(
      (value) => isHttpUrl(value) && isLocalAddress(value) && own.findPart(value) === undefined,
    )
  const http = createLocalClient()
  try {
    const indexes = [...new Set([...configured, ...others])].slice(0, maxProbes)
    return await Promise.all(
      indexes.map(async (index) => ({
        index: withSlash(index),
        isConfigured: configured.includes(index),
        proxy: await probeProxy(http, withSlash(index).replace(/simple\/$/, '')),
      })),
    )
  } finally {
    await http.close()
  }
}

/** A proxy of `run` or `start`, unless somebody else has put it there. */
export function judgeOthers(probes: readonly Probe[]): Finding[] {
  return probes
    .filter(({ proxy, isConfigured }) => !isConfigured && isTufgate(proxy.answer))
    .map(({ proxy }) => describeOtherProxy(proxy.origin))
}

function withSlash(url: string): string {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname.replace(/\/*$/, '/')}`
}

function ownOptions({ listen, hosts }: Settings): OwnAddressOptions {
  return { listen: listen.map(parseListenAddress), hosts }
}

export function createOwnAddresses(settings: Settings, probes: readonly Probe[]): OwnAddresses {
  const answering = probes
    .filter(({ proxy, isConfigured }) => !isConfigured && isTufgate(proxy.answer))
    .map(({ index }) => index)
  return new OwnAddresses({ ...ownOptions(settings), answering })
}
