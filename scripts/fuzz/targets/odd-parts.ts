/** What is put into a repository to make it odd: texts, values, patterns, settings of keys. */

export type TextChange = readonly [what: string, bend: (text: string) => string]

export const textChanges: readonly [TextChange, ...TextChange[]] = [
  ['with white space', (text) => JSON.stringify(JSON.parse(text), undefined, 1)],
  ['with a line end', (text) => `${text}\n`],
  ['with a byte order mark', (text) => `\u{feff}${text}`],
  ['with a member twice', (text) => text.replace('"version":', '"version":1,"version":')],
  ['with an escape', (text) => text.replace('"version"', String.raw`"versio\u006e"`)],
  [
    'with a signature twice',
    (text) =>
      text.replace(
        '"signatures":[{',
        '"signatures":[{"keyid":"00","sig":""},{"keyid":"00","sig":""},{',
      ),
  ],
  [
    'with an empty signature',
    (text) => text.replace('"signatures":[{', '"signatures":[{"keyid":"00","sig":""},{'),
  ],
  ['with another version', (text) => text.replace(/"version":\d+/, '"version":9')],
  ['with a fraction', (text) => text.replace(/"version":(\d+)/, '"version":$1.0')],
  ['with an exponent', (text) => text.replace(/"version":(\d+)/, '"version":$1e0')],
  ['cut off', (text) => text.slice(0, -1)],
  ['with another root of JSON', (text) => `[${text}]`],
  ['with a member more', (text) => `{"x":1,${text.slice(1)}`],
  ['with broken UTF-8', (text) => text.replace('"_type"', '"x\ufffdy":1,"_type"')],
]

export const oddValues: readonly [unknown, ...unknown[]] = [
  null,
  0,
  -1,
  1.5,
  '',
  'x',
  [],
  {},
  true,
  false,
  [null],
  { sha256: 'zz' },
  { md5: 'a1'.repeat(16) },
  '../x',
  '!simple/*/*',
  '{simple,x}/*/*',
  '**',
  '[',
  2,
  'A1'.repeat(32),
]

export const oddPatterns: readonly [string, ...string[]] = [
  '!simple/*/*',
  '!x',
  '{simple,x}/*/*',
  '**',
  '**/*',
  'simple/**',
  'simple/+(foo)/*',
  'simple/[!a]oo/*',
  'simple/[^a]oo/*',
  'simple/[a-',
  'simple/[]f]oo/*',
  'simple/foo/index.json',
  'SIMPLE/*/*',
  '/simple/*/*',
  './simple/*/*',
  'simple//*/*',
  'simple/f*o*/*.json',
  'simple/???/*',
  'simple/[[:alpha:]]oo/*',
  String.raw`simple/\\foo/*`,
  '#x',
  '',
]

export const oddSettings: readonly [unknown, ...unknown[]] = [
  'ed25519',
  'ecdsa',
  'rsassa-pss-sha256',
  'x',
  '',
  0,
  1,
  2,
  33,
  1.5,
  true,
  null,
  '00'.repeat(32),
]
