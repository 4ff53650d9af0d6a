/** Finds and reads the settings file: `--config`, else the one in the user's configuration folder. */

import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Environment } from '../base/environment.ts'
import { ConfigError } from '../base/errors.ts'
import { describeErrno } from '../store/storage-error.ts'
import { parseSettings, type Settings, type SettingsOverrides } from './settings.ts'

const maxSettingsBytes = 1_000_000

export function readSettings(
  config: string | undefined,
  overrides: SettingsOverrides,
  environment: Environment = process.env,
): Settings {
  const path = config ?? findDefaultPath(environment)
  if (path === undefined) return parseSettings('', 'the command line', overrides)
  const next =
    'Give the path of a settings file with --config; proxy-config/tufgate.toml is a complete one.'
  return parseSettings(readSettingsText(path, next), path, overrides)
}

function findDefaultPath(environment: Environment): string | undefined {
  const home = environment['XDG_CONFIG_HOME'] ?? join(homedir(), '.config')
  const path = join(home, 'tufgate', 'tufgate.toml')
  return existsSync(path) ? path : undefined
}

/** @param next what to do where it cannot be read */
export function readSettingsText(path: string, next: string): string {
  try {
    const text = readFileSync(path, 'utf8')
    if (text.length <= maxSettingsBytes) return text
  } catch (error) {
    throw new ConfigError('CONFIG_INVALID', `${path} cannot be read: ${describeErrno(error)}`, {
      cause: error,
      next,
    })
  }
  throw new ConfigError('CONFIG_INVALID', `${path} is too large for a settings file.`, {
    expected: `at most ${maxSettingsBytes} characters`,
  })
}
