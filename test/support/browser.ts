/** Chromium without a window, with a profile of its own that is gone afterwards, and what it did on the way. */

import { existsSync } from 'node:fs'
import { chromium, type Browser, type Page } from 'playwright-core'

const path = '/usr/bin/chromium'

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Where it is missing, tests of the pages cannot run: they fail only where all clients are demanded. */
export function hasBrowser(): boolean {
  if (existsSync(path)) return true
  if ((process.env['TUFGATE_REQUIRE_CLIENTS'] ?? '') !== '') {
    throw new Error(`${path} is missing, and TUFGATE_REQUIRE_CLIENTS demands it`)
  }
  process.stderr.write(
    `\nWARNING: ${path} is missing: the status page is NOT TESTED in a browser.\n\n`,
  )
  return false
}

export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: path, args: flags, headless: true })
}

export interface Look {
  readonly width: number
  readonly height: number
  readonly scheme?: 'light' | 'dark'
}

export interface Visit {
  readonly page: Page
  /** Errors and warnings of the console, and of scripts. */
  readonly complaints: readonly string[]
  /** Of all requests. */
  readonly urls: readonly string[]
}

/** In a context of its own: no cookie, cache or history of another visit. */
export async function visit(
  browser: Browser,
  url: string,
  { width, height, scheme = 'light' }: Look,
): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme })
  const page = await context.newPage()
  const complaints: string[] = []
  const urls: string[] = []
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => urls.push(request.url()))
  await page.goto(url)
  return { page, complaints, urls }
}
