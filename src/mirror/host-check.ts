/** Whether a file may be at an address, by the hosts that the mirror was told of. */

/** Compared as `URL` writes them, under the scheme at hand: capitals and default ports do not count. */
export function buildHostCheck(names: readonly string[]): (url: string) => boolean {
  const hosts = new Map(
    ['https:', 'http:'].map((scheme) => [
      scheme,
      new Set(names.map((name) => URL.parse(`${scheme}//${name}`)?.host)),
    ]),
  )
  return (url) => {
    const parsed = URL.parse(url)
    return parsed !== null && hosts.get(parsed.protocol)?.has(parsed.host) === true
  }
}
