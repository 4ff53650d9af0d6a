/** `node scripts/screenshot.ts`: docs/status-page.png anew, from a proxy in memory with a fixed day on it. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openBrowser, visit } from '../test/support/browser.ts'
import { startScene } from '../test/support/status-scene.ts'

const target = join(import.meta.dirname, '..', 'docs', 'status-page.png')
const maxBytes = 150_000

const { proxy } = await startScene()
const browser = await openBrowser()
try {
  const url = `http://127.0.0.1:${proxy.port}/-/`
  const { page } = await visit(browser, url, { width: 800, height: 832 })
  const png = await page.screenshot()
  if (png.length > maxBytes) throw new Error(`the picture has ${png.length} bytes`)
  await writeFile(target, png)
  process.stdout.write(`${target}: ${png.length} bytes\n`)
} finally {
  await browser.close()
  await proxy.stop()
}
