/** `tufgate doctor`: what goes past the proxy, and what will break soon. Looks, and changes nothing. */

import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { ConfigError } from '../../base/errors.ts'
import { countFindings, isClean, type Finding } from '../../doctor/finding.ts'
import { findStateHome } from '../../store/state-directory.ts'
import { examine } from './doctor-examination.ts'
import { sayFindings } from './doctor-report.ts'
import { readSettings } from '../read-settings.ts'
import type { SettingsOverrides } from '../settings.ts'
import { sayJson } from '../terminal.ts'

export interface DoctorFlags extends SettingsOverrides {
  readonly config?: string
  readonly json?: boolean
  /** `false`: nobody is asked over the network but the proxy on this machine. */
  readonly network: boolean
}

export async function runDoctor(folder: string, flags: DoctorFlags): Promise<number> {
  const root = requireFolder(folder)
  const { config, json, network, ...overrides } = flags
  const settings = readSettings(config, overrides)
  const stateHome = resolve(settings['state-dir'] ?? findStateHome(process.env))
  const { findings, index } = await examine({
    folder: root,
    settings,
    stateHome,
    environment: process.env,
    isOnline: network,
    now: Date.now(),
    ...(config !== undefined && { config }),
  })
  if (json === true) sayJson(describeForPrograms(findings, index))
  else sayFindings(findings, index)
  return isClean(countFindings(findings)) ? 0 : 3
}

function requireFolder(folder: string): string {
  const found = statSync(folder, { throwIfNoEntry: false })
  if (found?.isDirectory() === true) return resolve(folder)
  const problem = found === undefined ? 'does not exist' : 'is not a folder'
  throw new ConfigError('CONFIG_INVALID', `${folder} ${problem}.`, {
    next: 'Name the folder of a project, or none for the one that you are in.',
  })
}

function describeForPrograms(findings: readonly Finding[], index: string): object {
  const counts = countFindings(findings)
  return { result: isClean(counts) ? 'ok' : 'not-ok', index, counts, findings }
}
