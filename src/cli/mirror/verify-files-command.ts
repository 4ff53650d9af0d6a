/** `tufgate mirror verify-files`: flags in, what differs out. */

import { setTimeout as sleepFor } from 'node:timers/promises'
import { verifyFiles, type VerifyFilesResult } from '../../mirror/verify-files.ts'
import { createMirrorContext } from './mirror-context.ts'
import { createMirrorIndexOpener } from './mirror-index.ts'
import { createReport } from './mirror-report.ts'
import { requireProject } from '../project-flag.ts'
import { requireParallel } from './sync-flags.ts'
import { paint, say, sayJson } from '../terminal.ts'

export interface VerifyFilesFlags {
  readonly project?: readonly string[]
  readonly parallel?: string
  /** Of `sync`, which has it as a flag. */
  readonly credentials?: string
  readonly json?: boolean
}

export async function runVerifyFiles(directory: string, flags: VerifyFilesFlags): Promise<number> {
  const parallel = flags.parallel === undefined ? undefined : requireParallel(flags.parallel)
  const { report, stop } = createReport(flags)
  try {
    const result = await verifyFiles({
      directory,
      ...createMirrorContext(report),
      openIndex: createMirrorIndexOpener(directory, { parallel, credentials: flags.credentials }),
      sleep: (milliseconds) => sleepFor(milliseconds),
      ...(flags.project !== undefined && { projects: flags.project.map(requireProject) }),
      ...(parallel !== undefined && { parallel }),
    })
    stop()
    if (flags.json === true) sayJson(result)
    else say(describeVerification(result))
    return result.exitCode
  } finally {
    stop()
  }
}

const bytesPerMegabyte = 1_000_000

function describeVerification({ verified, bytes, differing, failed }: VerifyFilesResult): string {
  const files = new Set(differing.map(({ project, file }) => `${project}/${file}`)).size
  const size = `${Math.ceil(bytes / bytesPerMegabyte)} MB`
  const outcome = [
    `${verified} ${verified === 1 ? 'file is' : 'files are'} what is signed (${size} read)`,
  ]
  if (failed > 0) outcome.push(paint('red', `${failed} could not be downloaded`))
  if (files > 0) outcome.push(paint('red', `${files} differ`))
  return `${outcome.join(', ')}${files > 0 ? `\n${advice}` : ''}`
}

const advice =
  'Nothing that is signed was changed; the differences stand in the journal (tufgate mirror log). Find out which side is right.'
