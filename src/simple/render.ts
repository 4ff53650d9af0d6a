/** A page as JSON or HTML, API 1.4. Everything is escaped here, and only here. */

import type { Bytes } from '../base/bytes.ts'
import type { ProjectPage } from './model.ts'
import type { PageFormat } from './negotiate.ts'

export function renderPage(page: ProjectPage, format: PageFormat): Bytes {
  throw new Error(`not built: ${page.name} ${format}`)
}
