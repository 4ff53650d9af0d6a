import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { hasBrowser, openBrowser, visit, type Look, type Visit } from '../support/browser.ts'
import { buildWheel } from '../support/build-wheel.ts'
import { serve } from '../support/hostile-server.ts'
import { hostileEvent, startScene, type Scene } from '../support/status-scene.ts'
import { Trial } from './trial.ts'

const phone: Look = { width: 360, height: 640 }
const desk: Look = { width: 1280, height: 900 }

let browser: Browser
let scene: Scene
let origin = ''

async function open(path: string, look: Look = desk): Promise<Visit> {
  const visited = await visit(browser, `${origin}${path}`, look)
  onTestFinished(() => visited.page.context().close())
  return visited
}

describe.skipIf(!hasBrowser())('in a browser', () => {
  beforeAll(async () => {
    browser = await openBrowser()
    scene = await startScene()
    origin = `http://127.0.0.1:${scene.proxy.port}`
    const entries = [{ ...hostileEvent, time: scene.proxy.gateway.time }]
    scene.proxy.gateway.entries.set('r-aaaaaaaa', { entries, searched: 'whole' })
  })
  afterAll(async () => {
    await browser.close()
    await scene.proxy.stop()
  })

  describe.each([
    ['the status page', '/-/'],
    ['an explanation', 'of the scene'],
    ['an explanation of hostile names', '/-/refused/r-aaaaaaaa'],
    ['an id that nobody knows', '/-/refused/r-zzzzzzzz'],
  ])('%s', (_name, path) => {
    test.each([
      ['a phone', phone],
      ['a phone at night', { ...phone, scheme: 'dark' } as const],
      ['a desk', desk],
    ])('fits %s, and nothing complains or asks anybody else', async (_where, look) => {
      const target = path === 'of the scene' ? `/-/refused/${scene.id}` : path
      const { page, complaints, urls } = await open(target, look)
      const isMissing = path.endsWith('zzz')
      expect(complaints.filter((line) => !isMissing || !line.includes('404'))).toEqual([])
      expect(urls).toEqual([`${origin}${target}`])
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(look.width)
      expect(await page.evaluate('document.styleSheets.length')).toBe(1)
    })
  })

  test('the status page can be read by a machine that reads aloud', async () => {
    const { page } = await open('/-/')
    expect(await page.locator('html').getAttribute('lang')).toBe('en')
    expect(await page.getByRole('heading', { level: 1 }).allTextContents()).toEqual(['tufgate'])
    expect(await page.getByRole('heading', { level: 2 }).count()).toBeGreaterThan(3)
    expect(await page.getByRole('main').count()).toBe(1)
    expect(await page.getByRole('columnheader').allTextContents()).toContain('Expires')
    expect(await page.getByRole('rowheader').first().textContent()).toContain('timestamp')
  })

  test.each(['light', 'dark'] as const)('text stands out from its ground (%s)', async (scheme) => {
    const { page } = await open('/-/', { ...desk, scheme })
    const pairs = (await page.evaluate(readColours)) as [string, string][]
    expect(pairs.length).toBeGreaterThan(20)
    // WCAG 2.1, 1.4.3.
    for (const [ink, ground] of pairs) {
      expect(contrast(ink, ground), `${ink} on ${ground}`).toBeGreaterThanOrEqual(4.5)
    }
  })

  test('a click on a refusal leads to its explanation, and back', async () => {
    const { page } = await open('/-/', phone)
    await page.getByRole('link', { name: 'litellm-1.82.8-py3-none-any.whl' }).click()
    expect(page.url()).toBe(`${origin}/-/refused/${scene.id}`)
    expect(await page.textContent('main')).toContain('What it can mean')
    await page.getByRole('link', { name: 'Status of the proxy' }).click()
    expect(page.url()).toBe(`${origin}/-/`)
  })

  test('what is not there or asked for wrongly is folded up, and opens without a script', async () => {
    const { page } = await open('/-/')
    const name = page.getByText('reqeusts', { exact: true })
    expect(await name.isVisible()).toBe(false)
    await page.locator('summary').click()
    expect(await name.isVisible()).toBe(true)
  })

  test('hostile names are text, and run nothing', async () => {
    const { page } = await open('/-/refused/r-aaaaaaaa', phone)
    expect(await page.title()).toContain('<script>')
    expect(await page.textContent('h1')).toContain("<script>document.title='owned'</script>")
    expect(await page.textContent('main')).toContain('<img src=http://elsewhere.test/x')
    expect(await page.locator('script, img, iframe, object').count()).toBe(0)
    expect(await page.content()).not.toMatch(/[\u202e\u2067\u2028]/)
  })

  test('a link on another web site leads to a page that says what to do, and that works', async () => {
    const site = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html')
      response.end(`<a href="${origin}/-/refused/${scene.id}">why</a>`)
    })
    await new Promise<void>((resolve) => void site.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void site.close())
    // For a browser another site than 127.0.0.1.
    const elsewhere = `http://localhost:${(site.address() as AddressInfo).port}/`
    const { page } = await visit(browser, elsewhere, phone)
    onTestFinished(() => page.context().close())
    await page.getByRole('link', { name: 'why' }).click()
    const address = page.url()
    expect(address).toBe(`${origin}/-/refused/${scene.id}`)
    const told = (await page.textContent('main')) ?? ''
    expect(told).toContain('made by a page of another web site')
    expect(told).toContain('paste it into the address bar of a new tab')
    expect(told).not.toContain('litellm')
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(phone.width)
    const tab = await page.context().newPage()
    await tab.goto(address)
    expect(await tab.textContent('h1')).toContain('litellm')
  })

  test('another web site cannot put the page into a frame', async () => {
    const { page } = await open('/-/')
    const answer = await page.request.get(`${origin}/-/`, {
      headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'iframe' },
    })
    expect(answer.status()).toBe(403)
  })
})

describe('of a proxy in front of a real mirror', () => {
  let trial: Trial
  beforeEach(async () => {
    trial = await Trial.create()
    onTestFinished(() => trial.close())
  })

  test('a refused file is on the page, in explain, and found again by the next process', async () => {
    const wheel = buildWheel({ name: 'demo', version: '1.0' })
    trial.publish('demo', [wheel])
    await trial.sync()
    trial.index.on(`/files/${wheel.filename}`, serve(Buffer.from('something else')))
    const proxy = await trial.startProxy()
    const page = await (await fetch(`${proxy.origin}/simple/demo/`)).text()
    const [, link = ''] = /href="([^"#]+)/.exec(page) ?? []
    const refused = await fetch(new URL(link, `${proxy.origin}/simple/demo/`))
    expect(refused.status).toBe(403)
    const id = refused.headers.get('x-request-id')!
    const status = await (await fetch(`${proxy.origin}/-/`)).text()
    expect(status).toContain(`refused/${id}`)
    expect(status).toMatch(/timestamp.*?in 23 h/s)
    const told = await (await fetch(`${proxy.origin}/-/refused/${id}`)).text()
    expect(told).toContain('something between here and the index changes downloads')
    const metrics = await (await fetch(`${proxy.origin}/-/metrics`)).text()
    expect(metrics).toContain('tufgate_refused_total{code="LENGTH_MISMATCH"} 1')
    expect(metrics).toMatch(
      /tufgate_trust_expires_seconds\{index="trial",role="timestamp"\} \d{10}/,
    )
    expect(metrics).toContain('tufgate_fetch_seconds_count 1')
    await proxy.stop()

    const next = await trial.startProxy({ state: proxy.state })
    const json = { headers: { accept: 'application/json' } }
    const found: unknown = await (await fetch(`${next.origin}/-/refused/${id}`, json)).json()
    expect(found).toMatchObject({ id, code: 'LENGTH_MISMATCH', project: 'demo' })
    const { trust, line } = found as { trust?: { record?: string }; line?: { seq: number } }
    expect(line?.seq).toBeGreaterThan(1)
    expect(trust?.record).toMatch(/^[0-9a-f]{64}$/)
    await next.stop()
  })
})

/** Of each element with text of its own: its colour, and that of the nearest ground. */
const readColours = `[...document.querySelectorAll('body *')]
  .filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== ''))
  .map((one) => {
    let ground = one
    while (ground.parentElement && getComputedStyle(ground).backgroundColor === 'rgba(0, 0, 0, 0)') ground = ground.parentElement
    return [getComputedStyle(one).color, getComputedStyle(ground).backgroundColor]
  })`

function contrast(ink: string, ground: string): number {
  const [light = 0, dark = 0] = [luminance(ink), luminance(ground)].toSorted((a, b) => b - a)
  return (light + 0.05) / (dark + 0.05)
}

function luminance(colour: string): number {
  const parts = (colour.match(/[\d.]+/g) ?? []).slice(0, 3).map((part) => {
    const value = Number(part) / 255
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  const [red = 0, green = 0, blue = 0] = parts
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
