/** Requests that two programs could read in two ways, or that no honest client sends: each with its name. */

/** Header lines, and what follows them, in which `smuggled` hides. */
export function listOddFramings(
  smuggled: string,
): readonly (readonly [name: string, headers: readonly string[], rest: string])[] {
  const chunked = `0\r\n\r\n${smuggled}`
  const length = `Content-Length: ${smuggled.length}`
  return [
    ['chunked', ['Transfer-Encoding: chunked'], chunked],
    ['CL and TE', ['Content-Length: 4', 'Transfer-Encoding: chunked'], chunked],
    ['TE and CL', ['Transfer-Encoding: chunked', length], smuggled],
    ['an unknown coding', ['Transfer-Encoding: xchunked'], chunked],
    ['two codings', ['Transfer-Encoding: identity', 'Transfer-Encoding: chunked'], chunked],
    ['codings in a list', ['Transfer-Encoding: gzip, chunked'], chunked],
    ['an empty coding', ['Transfer-Encoding:', length], smuggled],
    ['a blank before the colon', ['Transfer-Encoding : chunked'], chunked],
    ['a tab before the coding', ['Transfer-Encoding:\tchunked'], chunked],
    ['a folded header', ['X: a', ' Transfer-Encoding: chunked'], chunked],
    ['a bare LF', ['X: a\nTransfer-Encoding: chunked'], chunked],
    ['chunk extensions', ['Transfer-Encoding: chunked'], `0;a="\r\n\r\n${smuggled}"\r\n\r\n`],
    ['a body', [length], smuggled],
    ['two lengths', ['Content-Length: 0', length], smuggled],
    ['two lengths in one', ['Content-Length: 0, 0'], smuggled],
    ['a signed length', ['Content-Length: +0'], smuggled],
    ['a negative length', ['Content-Length: -1'], smuggled],
    ['a hexadecimal length', ['Content-Length: 0x0'], smuggled],
  ]
}

/** Bytes in place of a request. */
export const notRequests: readonly (readonly [name: string, bytes: string])[] = [
  ['rubbish', 'rubbish\r\n\r\n'],
  ['TLS', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003'],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['HTTP/0.9', 'GET /simple/foo/\r\n\r\n'],
  ['an unknown method', 'FROB / HTTP/1.1\r\n\r\n'],
  ['NUL in a header', 'GET / HTTP/1.1\r\nHost: local\u0000host\r\n\r\n'],
  ['a bare CR', 'GET / HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n'],
  ['a huge header', `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`],
  ['many headers', `GET / HTTP/1.1\r\nHost: localhost\r\n${'X: y\r\n'.repeat(5000)}\r\n`],
  ['a huge target', `GET /${'a'.repeat(30_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`],
]

/** Other ways to write the target `/files/PROJECT/HOST/FOLDER/FILENAME`, and their status. */
export function listOddTargets(
  base: string,
  folder: string,
  filename: string,
): readonly (readonly [name: string, target: string, status: number])[] {
  const path = `${base}/${folder}/${filename}`
  const beyond = base.slice('/files'.length)
  return [
    ['an encoded slash', `${base}%2F${folder}/${filename}`, 400],
    ['dot segments', `/simple/..${path}`, 400],
    ['encoded dot segments', `${base}/x/%2e%2e/${folder}/${filename}`, 400],
    ['half encoded dot segments', `${base}/x/.%2E/${folder}/${filename}`, 400],
    ['a dot segment', `${base}/./${folder}/${filename}`, 400],
    ['double encoding', `${base}/x/%252e%252e/${folder}/${filename}`, 404],
    ['a slash, encoded twice', `${base}%252F${folder}/${filename}`, 404],
    ['NUL', `${path}%00.whl`, 400],
    ['NUL, not encoded', `${path}\u0000`, 400],
    ['a line end', `${path}%0d%0aX:%20y`, 400],
    ['8-bit bytes', `${base}/${folder}/\u00f6${filename}`, 400],
    ['8-bit bytes, encoded', `${path}%f6`, 400],
    ['an overlong slash', `${base}%c0%af${folder}/${filename}`, 400],
    ['a backslash', `/files\\${beyond.slice(1)}/${folder}/${filename}`, 400],
    ['an encoded backslash', `${base}%5C${folder}/${filename}`, 400],
    ['a percent sign alone', `${path}%`, 400],
    ['a fragment', `${path}#x`, 400],
    ['a query', `${path}?x`, 404],
    ['path parameters', `${path};x`, 404],
    ['an empty segment', `${base}//${folder}/${filename}`, 404],
    ['a slash at the end', `${path}/`, 404],
    ['an empty first segment', `/${path}`, 404],
    ['capitals in the route', `/FILES${beyond}/${folder}/${filename}`, 404],
    ['more than 8 kB', `${path}${'a'.repeat(8001)}`, 400],
    ['the asterisk', '*', 400],
  ]
}

/** Names of this proxy that are none (DNS rebinding). */
export const foreignHosts: readonly string[] = [
  'evil.test',
  'localhost.evil.test',
  'localhost.',
  'localhost@evil.test',
  'pypi.org',
  '',
]

/** What a browser sends with a request of another web site's page. */
export const foreignOrigins: readonly string[] = [
  'Origin: https://evil.test',
  'Origin: null',
  'Origin: http://localhost.evil.test',
  'Origin: http://localhost:8080',
  'Sec-Fetch-Site: cross-site',
  'Sec-Fetch-Site: same-site',
]

/** Spellings of a host that two programs could take for two hosts. */
export const oddAuthorities: readonly (readonly [name: string, authority: string])[] = [
  ['user information', 'index.test@other.test'],
  ['user information with a password', 'user:secret@other.test'],
  ['an encoded @', 'index.test%40other.test'],
  ['an encoded dot', 'index%2etest'],
  ['a dot at the end', 'index.test.'],
  ['a dot at the end of one that is let pass', 'other.test.'],
  ['two dots', 'other..test'],
  ['an empty port', 'other.test:'],
  ['two ports', 'other.test:80:80'],
  ['port 0', 'other.test:0'],
  ['a port with a zero in front', 'other.test:080'],
  ['a port beyond the last', 'other.test:65536'],
  ['a signed port', 'other.test:+80'],
  ['an IPv6 zone', '[fe80::1%25eth0]'],
  ['an IPv6 zone, not encoded', '[fe80::1%eth0]'],
  ['IPv6 without brackets', '::1'],
  ['IPv6 in a long spelling', '[0:0:0:0:0:0:0:1]'],
  ['IPv4 in two parts', '127.1'],
  ['IPv4 as a number', '2130706433'],
  ['IPv4 in hexadecimal', '0x7f000001'],
  ['IPv4 in octal', '0177.0.0.1'],
  ['a backslash', String.raw`other.test\@index.test`],
  ['a blank', 'other.test%20'],
  ['a tab', 'other.test%09'],
  ['NUL', 'other.test%00'],
  ['8-bit letters', 'b\u00fccher.test'],
  ['a full stop of another script', 'other%E3%80%82test'],
  ['nothing', ''],
]
