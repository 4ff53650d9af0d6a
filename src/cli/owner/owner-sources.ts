/** What a maintainer signs from: the mirror, through the verifying client, and the page of the index. */

import { resolve } from 'node:path'
import { ConfigError } from '../../base/errors.ts'
import type { OwnerView } from '../../client/repository.ts'
import type { ParsedPage } from '../../simple/parse-json.ts'
import { HttpClient } from '../../upstream/http-client.ts'
import { isHttpUrl } from '../location.ts'
import { openMirrorIndex, requireIndexLocation } from '../mirror/mirror-index.ts'
import { openIndex, openIndexState } from '../serve/open-index.ts'
import { readSettings } from '../read-settings.ts'
import { findStateHome } from '../../store/state-directory.ts'
import { userAgent } from '../version.ts'
import { warn } from '../terminal.ts'

export interface SourceFlags {
  readonly mirror?: readonly string[]
  readonly root?: string
  readonly index?: string
  readonly baseUrl?: string
  readonly stateDir?: string
}

const unusedContent = { read: () => Promise.resolve(undefined), put: () => undefined }

/** Verified from the pinned root on, like anything that the proxy serves. */
export async function readOwnerView(project: string, flags: SourceFlags): Promise<OwnerView> {
  const { mirror, root, stateDir } = flags
  if (mirror === undefined || root === undefined) {
    throw new ConfigError('CONFIG_INVALID', '--mirror and --root are missing.', {
      next: 'Give the location of the mirror and its 1.root.json: what is signed now is verified with it.',
    })
  }
  const url =
    flags.index !== undefined && isHttpUrl(flags.index) ? flags.index : 'http://localhost/'
  const settings = readSettings('/dev/null', {
    index: url,
    mirror: mirror.map((location) => (isHttpUrl(location) ? location : resolve(location))),
    root: resolve(root),
    ...(stateDir !== undefined && { stateDir }),
  })
  const http = new HttpClient({ userAgent, environment: process.env })
  const stateHome = settings['state-dir'] ?? findStateHome(process.env)
  const context = { settings, stateHome, http, clock: Date.now, warn }
  const [index] = settings.index
  if (index === undefined) throw new ConfigError('CONFIG_INVALID', 'The settings name no index.')
  const opened = await openIndex(
    await openIndexState(index, context),
    unusedContent,
    context,
    (event) => {
      if (event.kind === 'failed') warn(event.failure.error.message)
    },
  )
  try {
    await opened.repository.refresh()
    return await opened.repository.findForOwner(project)
  } finally {
    await opened.close()
    await http.close()
  }
}

/** Throws CONFIG_INVALID where the index has no such project. */
export async function readIndexPage(
  project: string,
  { index, baseUrl }: Pick<SourceFlags, 'baseUrl'> & { readonly index: string },
): Promise<ParsedPage> {
  requireIndexLocation(index)
  const port = await openMirrorIndex({ index, ...(baseUrl !== undefined && { baseUrl }) })
  try {
    const answer = await port.fetchPage(project)
    if (typeof answer === 'object') return answer.page
  } finally {
    await port.close()
  }
  throw new ConfigError('CONFIG_INVALID', `The index ${index} has no project ${project}`, {
    next: 'Upload the first release, then sign it.',
  })
}
