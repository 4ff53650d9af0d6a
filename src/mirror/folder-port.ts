/**
 * An index that is a folder, for example of bandersnatch. Its links are resolved as if its pages
 * were at `<base-url>/simple/<project>/`, where clients will fetch the files.
 */

import { ConfigError } from '../base/errors.ts'
import { openFolderIndex } from '../store/folder-index.ts'
import type { IndexAddress } from './index-choice.ts'
import type { IndexPort } from './index-port.ts'
import { createSourcePort } from './source-port.ts'

/** Throws CONFIG_INVALID where `base-url` is missing or is no URL. */
export function openFolderPort({ index, baseUrl, fileHosts = [] }: IndexAddress): IndexPort {
  const base = requireBaseUrl(index, baseUrl)
  const source = openFolderIndex({ folder: index, url: new URL('simple/', base).href })
  return createSourcePort(source, {
    fileHosts: [base.host, ...fileHosts],
    hasExactSizes: true,
    close: () => Promise.resolve(),
  })
}

function requireBaseUrl(index: string, baseUrl: string | undefined): URL {
  const base = baseUrl === undefined ? null : URL.parse(baseUrl)
  if (base !== null && /^https?:$/.test(base.protocol) && base.search === '' && base.hash === '') {
    if (!base.pathname.endsWith('/')) base.pathname += '/'
    return base
  }
  throw new ConfigError(
    'CONFIG_INVALID',
    `The folder ${index} needs a base URL: where it is served`,
    {
      expected: 'an http or https URL',
      found: baseUrl ?? 'none',
      next: 'Give it as --base-url https://packages.example.org/ (the URL of what contains simple/).',
    },
  )
}
