/** Pages of the Simple API for tests: by hand, and any that fast-check can think of. */

import * as fc from 'fast-check'
import { encodeUtf8, type Bytes } from '../../src/base/bytes.ts'
import type { Json } from '../../src/base/canonical-json.ts'
import type { ProjectFile, ProjectPage } from '../../src/simple/model.ts'
import type { RecordFile } from '../../src/simple/record.ts'

export const sha256Of = (fill: string): string => fill.repeat(64).slice(0, 64)

export const host = 'https://files.pythonhosted.org'

/** One entry of `files` as PyPI writes it; `changes` with `undefined` takes a member away. */
export function fileJson(filename: string, changes: Record<string, unknown> = {}): object {
  return {
    filename,
    url: `${host}/packages/aa/bb/${encodeURIComponent(filename)}`,
    hashes: { sha256: sha256Of('a') },
    'requires-python': '>=3.9',
    size: 1000,
    'upload-time': '2026-01-02T03:04:05.678901Z',
    yanked: false,
    ...changes,
  }
}

export function pageJson(
  name: string,
  files: readonly unknown[],
  changes: Record<string, unknown> = {},
): Bytes {
  return toBytes({ meta: { 'api-version': '1.4' }, name, versions: [], files, ...changes })
}

export function toBytes(value: unknown): Bytes {
  return encodeUtf8(JSON.stringify(value))
}

export function recordFile(filename: string, changes: Partial<RecordFile> = {}): RecordFile {
  return {
    filename,
    url: `${host}/packages/aa/bb/${filename}`,
    sha256: sha256Of('a'),
    hashes: new Map([['sha256', sha256Of('a')]]),
    extra: new Map(),
    ...changes,
  }
}

/** Everything that an attacker may write into a text, and that a page may still say afterwards. */
export const evilTexts: readonly string[] = [
  '"><script>alert(1)</script>',
  "'><a href='https://evil.example/foo-9.9.tar.gz'>foo-9.9.tar.gz</a>",
  '</a><a href="https://evil.example/foo-9.9.tar.gz#sha256=00">x</a>',
  '</title><base href="https://evil.example/">',
  '-->&lt;&#60;&#x3c;&amp;quot;',
  '" onmouseover="x" data-core-metadata="true',
  '<!--',
  '<![CDATA[',
  '\u2028\u202Eevil',
]

/** What `readText` leaves: no control characters, well-formed. */
const cleanText: fc.Arbitrary<string> = fc.oneof(
  fc
    .string({ unit: 'grapheme', maxLength: 30 })
    .map((text) => text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, ' ').toWellFormed()),
  fc.constantFrom(...evilTexts.map((text) => text.replaceAll('\u2028', ' '))),
)

const digest = fc.string({
  unit: fc.constantFrom(...'0123456789abcdef'.split('')),
  minLength: 64,
  maxLength: 64,
})

const time = fc
  .date({ min: new Date('1990-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString().replace('Z', '123Z'))

const filename = fc
  .tuple(fc.nat(99), fc.nat(99), fc.constantFrom('.tar.gz', '-py3-none-any.whl', '.zip', '.odd'))
  .map(([major, minor, end]) => `foo-${major}.${minor}${end}`)

const json: fc.Arbitrary<Json> = fc.oneof(
  fc.integer(),
  fc.boolean(),
  fc.string(),
  fc.constant(null),
  fc.dictionary(fc.string(), fc.integer(), { noNullPrototype: true }),
)

function present<T>(name: string, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<object> {
  return fc.oneof(
    fc.constant({}),
    arbitrary.map((value) => ({ [name]: value })),
  )
}

/** A file of project `foo` that says anything that the model can say. */
export const anyFile: fc.Arbitrary<ProjectFile> = fc
  .tuple(
    filename,
    digest,
    present('size', fc.nat()),
    present('uploadTime', time),
    present(
      'requiresPython',
      cleanText.filter((text) => text !== ''),
    ),
    present('yanked', cleanText),
    present(
      'coreMetadata',
      digest.map((hex) => new Map([['sha256', hex]])),
    ),
    present('provenance', fc.webUrl({ withFragments: true, withQueryParameters: true })),
    present('gpgSig', fc.boolean()),
  )
  .map(([name, sha256, ...members]) => ({
    filename: name,
    url: `${host}/packages/${sha256.slice(0, 8)}/${name}`,
    hashes: new Map([['sha256', sha256]]),
    extra: new Map<string, Json>(),
    ...(Object.assign({}, ...members) as Partial<ProjectFile>),
  }))

const status = present(
  'status',
  fc.tuple(cleanText, present('reason', cleanText)).map(([text, reason]) => ({
    status: text,
    ...reason,
  })),
)

/** A page of `foo`; `extra` is left to JSON. */
export const anyPage: fc.Arbitrary<ProjectPage> = fc
  .tuple(fc.array(anyFile, { maxLength: 6 }), status)
  .map(([files, withStatus]) => ({
    name: 'foo',
    files,
    versions: [],
    extra: new Map<string, Json>(),
    ...withStatus,
  }))

/** Members that API 1.4 does not know, `constructor` among them. */
export const anyExtra: fc.Arbitrary<ReadonlyMap<string, Json>> = fc
  .array(
    fc.tuple(
      fc.oneof(
        fc.constantFrom('constructor', 'toString', 'namespaces', 'hasOwnProperty'),
        fc.string({ minLength: 1 }).map((name) => `x-${name}`),
      ),
      json,
    ),
    { maxLength: 4 },
  )
  .map((entries) => new Map(entries))
