/** `tufgate explain`: looks the ids up in the audit logs, and says why. */

import { readAudit, type AuditEntry } from '../../audit/reader.ts'
import { ConfigError } from '../../base/errors.ts'
import { explainRequest, type Explanation } from '../../explain/explanation.ts'
import { findRequestIds } from '../../explain/find-request-ids.ts'
import { renderExplanation } from '../../explain/render-explanation.ts'
import { findLogFolders, type LogFlags } from '../log-folder.ts'
import { note, say, sayJson } from '../terminal.ts'

export interface ExplainFlags extends LogFlags {
  readonly json?: boolean
}

interface FoundRequest {
  readonly id: string
  readonly folder: string
  /** Of one process; another one may have had the same id. */
  readonly entries: readonly AuditEntry[]
}

/** @param pasted ids, or whole lines in which they stand */
export async function explainIds(pasted: readonly string[], flags: ExplainFlags): Promise<number> {
  const ids = findRequestIds(pasted.join(' '))
  if (ids.length === 0) throw refuseWithoutId()
  const folders = findLogFolders(flags)
  const requests = await findRequests(ids, folders)
  const explanations = requests.flatMap(explainFound)
  if (flags.json === true) for (const explanation of explanations) sayJson(explanation)
  else if (explanations.length > 0) say(explanations.map(renderExplanation).join('\n\n\n'))
  const missing = ids.filter((id) => !requests.some((request) => request.id === id))
  for (const id of missing) note(describeMissing(id, folders))
  return missing.length === 0 ? 0 : 2
}

function explainFound({ id, folder, entries }: FoundRequest): Explanation[] {
  // A line that counts others has no id of its own.
  const lines = entries.map((entry) => ({ ...entry, id }))
  const explanation = explainRequest(lines, { LOG: folder })
  return explanation === undefined ? [] : [explanation]
}

async function findRequests(
  ids: readonly string[],
  folders: readonly string[],
): Promise<FoundRequest[]> {
  const requests = new Map<string, FoundRequest & { entries: AuditEntry[] }>()
  for (const folder of folders) {
    for await (const entry of readAudit(folder, { ids })) {
      for (const id of idsOf(entry).filter((one) => ids.includes(one))) {
        const key = JSON.stringify([id, entry.chain])
        const request = requests.get(key) ?? { id, folder, entries: [] }
        request.entries.push(entry)
        requests.set(key, request)
      }
    }
  }
  return [...requests.values()]
}

function idsOf({ id, ids = [] }: AuditEntry): readonly string[] {
  return id === undefined ? ids : [id, ...ids]
}

function describeMissing(id: string, folders: readonly string[]): string {
  return [
    `No line has the id ${id}. Looked in:`,
    ...folders.map((folder) => `  ${folder}`),
    'Is it the log of another machine, or of another --state-dir? Of equal refusals within a minute only',
    'the first are written; what the counted ones have in common: tufgate audit show --kind refused',
  ].join('\n')
}

function refuseWithoutId(): ConfigError {
  return new ConfigError('CONFIG_INVALID', 'There is no request id in that.', {
    expected: 'r- and eight letters or digits, such as r-eo64k2m5',
    next: 'It stands in parentheses in what the installer printed.',
  })
}
