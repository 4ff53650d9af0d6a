/** Archives, what wheels declare, and what stands in an environment beside their files. */

import type { Bytes } from '../../../src/base/bytes.ts'
import {
  parseScripts,
  renderScriptBodies,
  splitScript,
} from '../../../src/installed/generated-scripts.ts'
import { listRecordPaths, resolvePath } from '../../../src/installed/installer-files.ts'
import { findByteCodeFault, findSource } from '../../../src/installed/byte-code.ts'
import { readDistribution } from '../../../src/installed/distribution.ts'
import { parseVenvSettings } from '../../../src/installed/venv-settings.ts'
import { placeEntry, readEntryName } from '../../../src/installed/wheel-place.ts'
import { parseDeclaredMetadata } from '../../../src/simple/declared-metadata.ts'
import { readWheelMetadata } from '../../../src/simple/wheel-metadata.ts'
import { digestZipEntry } from '../../../src/simple/zip-digest.ts'
import {
  readZipEntries,
  readZipEntry,
  type ArchiveReader,
} from '../../../src/simple/zip-entries.ts'
import { buildWheel } from '../../../test/support/build-wheel.ts'
import { buildOddZip } from '../../../test/support/odd-zip.ts'
import { readText, requireRule, type FuzzTarget } from '../target.ts'

const wheel = (): Bytes => buildWheel({ name: 'foo', version: '1.0', requires: ['bar>1'] }).bytes
const packed = (): Bytes =>
  buildOddZip([
    { name: 'foo/__init__.py', content: Buffer.from('x = 1\n'.repeat(50)), isDeflated: true },
    { name: 'foo-1.0.dist-info/METADATA', content: Buffer.from('Name: foo\n'), isDeflated: true },
  ])

function openArchive(bytes: Bytes): ArchiveReader {
  return {
    size: bytes.length,
    read: async (position, length) => {
      requireRule(position >= 0 && length >= 0, 'a read of nothing')
      return bytes.subarray(position, position + length)
    },
  }
}

const maxEntryBytes = 1_000_000

const zip: FuzzTarget = {
  name: 'zip-entries',
  rule: 'of an archive nothing is read but what its directory says, within the limit',
  seeds: () => [wheel(), packed()],
  words: ['PK\u0001\u0002', 'PK\u0003\u0004', 'PK\u0005\u0006', '\0\0\0\0'],
  run: async (input) => {
    const archive = openArchive(input)
    const entries = await readZipEntries(archive)
    for (const entry of entries.slice(0, 20)) {
      // oxlint-disable-next-line no-await-in-loop -- one at a time
      const content = await readZipEntry(archive, entry, maxEntryBytes)
      requireRule(content.length <= maxEntryBytes, 'more than the limit')
      // oxlint-disable-next-line no-await-in-loop -- as above
      await digestZipEntry(archive, entry)
      const place = placeEntry(readEntryName(entry.name, entry.flags))
      requireRule(
        place === undefined || !place.path.split('/').includes('..'),
        'a place outside of its scheme',
      )
    }
  },
}

const wheelMetadata: FuzzTarget = {
  name: 'wheel-metadata',
  rule: 'METADATA of a wheel is found once, or not at all',
  seeds: () => [wheel(), packed()],
  words: ['PK\u0001\u0002', '.dist-info/METADATA', '\0\0\0\0'],
  run: async (input) => {
    const bytes = await readWheelMetadata(openArchive(input))
    parseDeclaredMetadata(bytes, 'foo', '1.0')
  },
}

const declared: FuzzTarget = {
  name: 'declared-metadata',
  rule: 'METADATA is read or refused',
  seeds: () => [
    'Metadata-Version: 2.1\nName: foo\nVersion: 1.0\nSummary: a\nLicense: b\n c\nRequires-Dist: bar (>=1) ; extra == "x"\n\nText\n',
  ],
  words: ['Requires-Dist: ', '\n ', '\nName: foo', '\r\n', 'Version: 1.0\n'],
  run: (input) => {
    const folder = 'lib/python3.11/site-packages/foo-1.0.dist-info'
    readDistribution(folder, { metadata: input, wheel: input, installer: input, directUrl: input })
    parseDeclaredMetadata(input, 'foo', '1.0')
  },
}

const recordPaths: FuzzTarget = {
  name: 'installed-record',
  rule: 'a path of a RECORD never leads out of the environment',
  seeds: () => [
    'foo/__init__.py,sha256=abc,10\r\n"a,""b"".py",,\n../../../bin/foo,sha256=x,1\n',
    'foo/__pycache__/a.cpython-311.opt-1.pyc,,\n/abs,,',
  ],
  words: ['../', '"', '""', ',', '/', './'],
  run: (input) => {
    const text = readText(input)
    for (const raw of listRecordPaths(text)) {
      const path = resolvePath('lib/python3.11/site-packages', raw)
      if (path === undefined) continue
      requireRule(!path.split('/').includes('..') && !path.startsWith('/'), 'a path outside')
      findSource(path)
    }
    findByteCodeFault(input, { size: input.length, mode: 0o644, mtimeMs: 0 } as never)
  },
}

const scripts: FuzzTarget = {
  name: 'entry-points',
  rule: 'entry points and scripts are read or left alone',
  seeds: () => [
    '[console_scripts]\nfoo = foo.bar:main\n[gui_scripts]\nbaz=foo : x [extra]\n',
    '#!/opt/venv/bin/python\nimport sys\n',
    'home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.2\n',
  ],
  words: ['[console_scripts]', '=', ':', '#!', '\nhome = ', "'''exec' "],
  run: (input) => {
    const text = readText(input)
    for (const point of parseScripts(text).values()) renderScriptBodies(point)
    splitScript(text)
    parseVenvSettings(text)
  },
}

export const wheelTargets: readonly FuzzTarget[] = [
  zip,
  wheelMetadata,
  declared,
  recordPaths,
  scripts,
]
