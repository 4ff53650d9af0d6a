/** `tufgate ca export|show|forget`: what installers have to know of the local authority. Its key is never shown. */

import { resolve } from 'node:path'
import { encodeUtf8, toPrintable } from '../../base/bytes.ts'
import { ConfigError } from '../../base/errors.ts'
import { quoteShell } from '../../base/quote-shell.ts'
import { forgetAuthorities, listAuthorities } from '../../ca/authority-folder.ts'
import { describeAuthority } from '../../ca/describe-authority.ts'
import { buildTrustVariables, trustVariables } from '../../installers/trust-variables.ts'
import { writeOutput } from '../write-output.ts'
import { findStateHome } from '../../store/state-directory.ts'
import { openAuthority } from './open-authority.ts'
import { readSettings } from '../read-settings.ts'
import type { Settings } from '../settings.ts'
import { note, say, sayJson, warn } from '../terminal.ts'
import { buildBundle } from './trust-files.ts'

export interface CaFlags {
  readonly config?: string
  readonly stateDir?: string
}

export interface CaExportFlags extends CaFlags {
  readonly bundle?: boolean
  readonly output?: string
  readonly format?: 'pem' | 'env'
}

export interface CaShowFlags extends CaFlags {
  readonly json?: boolean
}

export async function runCaExport(flags: CaExportFlags): Promise<number> {
  const { output, format = 'pem' } = flags
  if (format === 'env' && output === undefined) {
    throw new ConfigError('CONFIG_INVALID', '--format env prints variables that name a file.', {
      next: 'Say where to write it: --output FILE',
    })
  }
  const certificate = await readCertificate(flags)
  // What the variables name takes the place of all other roots.
  const isBundle = flags.bundle === true || format === 'env'
  const bundle = isBundle ? buildBundle(certificate, process.env, warn) : undefined
  const pem = bundle?.pem ?? certificate
  if (output === undefined) {
    process.stdout.write(pem)
    return 0
  }
  const path = resolve(output)
  await writeOutput(path, encodeUtf8(pem))
  const shown = toPrintable(path, 500)
  note(
    bundle === undefined
      ? `The local authority alone was written to ${shown}; an installer that is told of this file trusts no other host. With the roots that it knew before: --bundle`
      : `The local authority and ${bundle.rootCount} roots were written to ${shown}`,
  )
  note("Nothing was put into the system's trust store, and no other program trusts the authority.")
  if (bundle !== undefined) sayVariables(path, format)
  return 0
}

function sayVariables(path: string, format: 'pem' | 'env'): void {
  const lines = Object.entries(buildTrustVariables(path)).map(
    ([name, value]) => `export ${name}=${quoteShell(value)}`,
  )
  if (format === 'env') {
    for (const line of lines) say(line)
    return
  }
  note('Tell the installers of it:')
  for (const [at, line] of lines.entries()) {
    note(`  ${line}  # ${trustVariables[at]?.readBy ?? ''}`)
  }
}

async function readCertificate(flags: CaFlags): Promise<string> {
  const { settings, stateHome } = readCaSettings(flags)
  const authority = openAuthority({ settings, stateHome, clock: Date.now })
  if (!settings.intercept.enabled) await requireKept(stateHome, authority.hosts)
  return authority.certificate()
}

/** Where interception is off none is made, but one that is there may be wanted. */
async function requireKept(
  stateHome: string,
  hosts: readonly { readonly name: string }[],
): Promise<void> {
  const wanted = hosts.map(({ name }) => name).join(', ')
  const kept = await listAuthorities(stateHome)
  const found = kept.map((authority) => authority.hosts.map(({ name }) => name).join(', '))
  if (found.includes(wanted)) return
  throw new ConfigError('CONFIG_INVALID', 'There is no local authority: interception is off', {
    expected: `an authority for ${wanted}, in ${stateHome}`,
    found: found.length === 0 ? 'none' : found.map((names) => `one for ${names}`).join('; '),
    next: 'Set enabled = true under [intercept] in the settings that serve reads, and name them here with --config FILE (and --state-dir, if serve was given one).',
  })
}

function readCaSettings({ config, stateDir }: CaFlags): {
  readonly settings: Settings
  readonly stateHome: string
} {
  const settings = readSettings(config, stateDir === undefined ? {} : { stateDir })
  return { settings, stateHome: settings['state-dir'] ?? findStateHome(process.env) }
}

export async function runCaShow(flags: CaShowFlags): Promise<number> {
  const { stateHome } = readCaSettings(flags)
  const found = (await listAuthorities(stateHome)).map(describeAuthority)
  if (flags.json === true) {
    sayJson(found)
    return 0
  }
  if (found.length === 0) say(`There is no local authority in ${toPrintable(stateHome, 500)}`)
  for (const { subject, sha256, hosts, notBefore, notAfter, file } of found) {
    say(subject)
    say(`  sha256  ${sha256}`)
    say(`  hosts   ${hosts.join(', ')}`)
    say(`  valid   ${notBefore} to ${notAfter}; renewed by serve at half of it, with the same key`)
    say(`  file    ${toPrintable(file, 500)}`)
  }
  return 0
}

export function runCaForget(flags: CaFlags): Promise<number> {
  const { stateHome } = readCaSettings(flags)
  const count = forgetAuthorities(stateHome)
  say(
    count === 0
      ? `There was no local authority in ${toPrintable(stateHome, 500)}`
      : 'The local authority is forgotten, and its key deleted. A proxy that runs keeps it until it is started again.',
  )
  if (count > 0) {
    say('The next start makes another one: tell the installers of it with tufgate ca export.')
  }
  return Promise.resolve(0)
}
