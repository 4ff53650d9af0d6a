/** `tufgate mirror shape`: what is signed besides records, shown or changed. */

import { ConfigError } from '../../base/errors.ts'
import {
  changeShape,
  describeShape,
  requireSnapshotHashes,
  type Shape,
  type ShapeResult,
} from '../../mirror/shape.ts'
import { toPrintable } from '../../base/bytes.ts'
import { createMirrorContext } from './mirror-context.ts'
import { createReport } from './mirror-report.ts'
import { say, sayJson } from '../terminal.ts'

export interface ShapeFlags {
  readonly signFiles?: string
  readonly htmlRecords?: string
  readonly snapshotHashes?: string
  readonly json?: boolean
}

export async function runMirrorShape(directory: string, flags: ShapeFlags): Promise<number> {
  const { signFiles, htmlRecords, snapshotHashes } = flags
  const change: Partial<Shape> = {
    ...(signFiles !== undefined && { signsFiles: requireSwitch('--sign-files', signFiles) }),
    ...(htmlRecords !== undefined && { signsHtml: requireSwitch('--html-records', htmlRecords) }),
    ...(snapshotHashes !== undefined && { snapshotHashes: requireSnapshotHashes(snapshotHashes) }),
  }
  const { report, stop } = createReport(flags)
  try {
    const options = { directory, ...createMirrorContext(report) }
    const isChange = Object.keys(change).length > 0
    const result = isChange ? await changeShape(options, change) : await describeShape(options)
    stop()
    if (flags.json === true) sayJson(result)
    else say(renderShape(result))
    return 0
  } finally {
    stop()
  }
}

function requireSwitch(flag: string, raw: string): boolean {
  if (raw === 'on' || raw === 'off') return raw === 'on'
  throw new ConfigError('CONFIG_INVALID', `${flag} ${toPrintable(raw)} is neither on nor off.`, {
    expected: 'on or off',
  })
}

function renderShape({ shape, filesWithoutTarget }: ShapeResult): string {
  const missing =
    shape.signsFiles && filesWithoutTarget > 0 ? `, ${filesWithoutTarget} not yet` : ''
  return [
    `sign-files       ${shape.signsFiles ? 'on' : 'off'}${missing}`,
    `html-records     ${shape.signsHtml ? 'on' : 'off'}`,
    `snapshot-hashes  ${shape.snapshotHashes}`,
  ].join('\n')
}
