/** Pages of the index that say something else than what was signed of the same files. */

import { renderJsonPage, type TrialFile } from '../../test/e2e/trial.ts'
import { serve } from '../../test/support/hostile-server.ts'
import type { World } from './world.ts'

type Members = Readonly<Record<string, unknown>>

/** The honest page, with members of its newest file, or of the page, in place of the honest ones. */
export function servePageWith(
  { trial }: World,
  files: readonly TrialFile[],
  { project, file = {}, page = {} }: PageLie,
): void {
  const honest = listPageFiles(project, files)
  const newest = { ...honest.at(-1), ...file }
  trial.servePage(project, {
    ...renderJsonPage(project, files),
    ...page,
    files: [...honest.slice(0, -1), newest],
  })
}

export interface PageLie {
  readonly project: string
  readonly file?: Members
  readonly page?: Members
}

/** At the file host, for a page: without `.metadata`, so that pip reads the file itself. */
export function offerFile({ trial }: World, { filename, bytes }: TrialFile): TrialFile {
  trial.index.on(`/files/${filename}`, serve(bytes))
  return { filename, bytes }
}

/** As the index would list them. */
export function listPageFiles(project: string, files: readonly TrialFile[]): Members[] {
  const page: { files?: Members[] } = renderJsonPage(project, files)
  return page.files ?? []
}

/** The honest page, and one link more. */
export function serveOneMore(
  { trial }: World,
  files: readonly TrialFile[],
  { project, link }: { readonly project: string; readonly link: Members },
): void {
  const page = renderJsonPage(project, files)
  trial.servePage(project, { ...page, files: [...listPageFiles(project, files), link] })
}
