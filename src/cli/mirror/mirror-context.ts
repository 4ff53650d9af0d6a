/**
 * What every command gives a mirror: the time, ears, the check of what it is about to publish, and
 * whoever knows the passphrase of its online keys.
 */

import type { MirrorContext } from '../../mirror/open-mirror.ts'
import type { Report } from '../../mirror/report.ts'
import {
  chooseAskPassphrase,
  rememberPassphrase,
  type AskPassphrase,
} from '../../signing/passphrase.ts'
import { askOnTerminal } from '../../signing/terminal-passphrase.ts'
import { checkPublication } from '../../watch/publication-check.ts'

export function createMirrorContext(report: Report): Required<MirrorContext> {
  return { clock: Date.now, report, check: checkPublication, askPassphrase }
}

/** One for the whole process: a mirror that runs for months asks once, at its start. */
const askPassphrase: AskPassphrase = rememberPassphrase(
  chooseAskPassphrase({ environment: process.env }, askOnTerminal),
)
