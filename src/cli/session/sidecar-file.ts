/**
 * What is kept of a proxy in the background: which process it is, its address and token, its log. One
 * file of 0600 for each name, in `sidecars/NAME` under the state; it says nothing about whether that
 * process still lives.
 */

import { join, resolve } from 'node:path'
import { decodeUtf8, encodeUtf8, toPrintable } from '../../base/bytes.ts'
import {
  readArray,
  readInteger,
  readMember,
  readObject,
  readOptional,
  readString,
} from '../../base/decode.ts'
import { ConfigError, describeError } from '../../base/errors.ts'
import { quoteShell } from '../../base/quote-shell.ts'
import { PrivateFiles } from '../../store/private-files.ts'
import { findStateHome, requirePrivateFolder } from '../../store/state-directory.ts'
import { readSettings } from '../read-settings.ts'

export interface SidecarFlags {
  readonly name?: string
  readonly stateDir?: string
  readonly config?: string
}

export interface SidecarPlace {
  readonly name: string
  readonly folder: string
  /** It, and those above it that are ours. */
  readonly folders: readonly string[]
  /** What it is told by. */
  readonly file: string
  /** Standard output and error of the process. */
  readonly log: string
  /** For commands that find this place again: `--name x`, quoted; empty by default. */
  readonly flags: string
}

export interface Sidecar {
  /** As `currentOwner` of that process gave it. */
  readonly owner: string
  /** `http://127.0.0.1:PORT` */
  readonly origin: string
  /** Before every path. */
  readonly token: string
  readonly audit: { readonly folder: string; readonly chain: string }
  /** Of the audit log when it was ready: `CHAIN:SEQ:DIGEST`. */
  readonly head: string
  /** Milliseconds. */
  readonly startedAt: number
  /** Of its authority (PEM), where it ends TLS to the hosts of indexes. */
  readonly certificate?: string
  /** Variables that hold passwords of indexes: nothing for what an installer runs. */
  readonly secrets: readonly string[]
  /** `host` or `host:port`: nothing may go past the proxy to them. */
  readonly indexHosts: readonly string[]
}

const format = 1
const fileName = 'sidecar.json'

export function findSidecarPlace({
  name = 'default',
  stateDir,
  config,
}: SidecarFlags): SidecarPlace {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) {
    throw new ConfigError('CONFIG_INVALID', `"${toPrintable(name)}" is not a name for a proxy.`, {
      expected: 'at most 64 letters, digits, full stops, dashes and underscores',
    })
  }
  const home = stateDir ?? readSettings(config, {})['state-dir'] ?? findStateHome(process.env)
  const folder = resolve(home, 'sidecars', name)
  const folders = [resolve(home), resolve(home, 'sidecars'), folder]
  const flags = [
    ...(name === 'default' ? [] : ['--name', name]),
    ...(stateDir === undefined ? [] : ['--state-dir', resolve(stateDir)]),
    ...(config === undefined || stateDir !== undefined ? [] : ['--config', resolve(config)]),
  ]
  return {
    name,
    folder,
    folders,
    file: join(folder, fileName),
    log: join(folder, 'log'),
    flags: flags.map((flag) => ` ${quoteShell(flag)}`).join(''),
  }
}

export async function writeSidecar({ folder }: SidecarPlace, sidecar: Sidecar): Promise<void> {
  const text = JSON.stringify({ format, ...sidecar }, undefined, 2)
  await new PrivateFiles(folder).put(fileName, encodeUtf8(`${text}\n`))
}

/** `undefined` where none was started, or it was stopped. Throws ConfigError for one that is damaged, or that others can write. */
export function findSidecar({ folder, folders, file }: SidecarPlace): Sidecar | undefined {
  // Which process is ended, and where installers are sent, nobody else is to say.
  for (const path of folders) requirePrivateFolder(path)
  const bytes = new PrivateFiles(folder).read(fileName)
  if (bytes === undefined) return undefined
  try {
    return parseSidecar(JSON.parse(decodeUtf8(bytes)))
  } catch (error) {
    throw new ConfigError('CONFIG_INVALID', `${file} is damaged: ${describeError(error)}`, {
      next: `end the process that it names, if there is one, then run: rm ${quoteShell(file)}`,
      cause: error,
    })
  }
}

export function forgetSidecar({ folder }: SidecarPlace): void {
  new PrivateFiles(folder).remove(fileName)
}

export function parseSidecar(value: unknown): Sidecar {
  const object = readObject(value)
  const audit = readMember(object, 'audit', readObject)
  const certificate = readOptional(object, 'certificate', readString)
  return {
    owner: readMember(object, 'owner', readString),
    origin: readMember(object, 'origin', readString),
    token: readMember(object, 'token', readString),
    audit: {
      folder: readMember(audit, 'folder', readString),
      chain: readMember(audit, 'chain', readString),
    },
    head: readMember(object, 'head', readString),
    startedAt: readMember(object, 'startedAt', (time) => readInteger(time, 0)),
    ...(certificate !== undefined && { certificate }),
    secrets: readMember(object, 'secrets', (names) => readArray(names, readString)),
    indexHosts: readMember(object, 'indexHosts', (hosts) => readArray(hosts, readString)),
  }
}
