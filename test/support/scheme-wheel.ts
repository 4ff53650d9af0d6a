/** A wheel with something for each scheme of an installation: scripts, data, headers, both kinds of library. */

import { createHash } from 'node:crypto'
import { buildZip, sha256, type Wheel } from './build-wheel.ts'

/** `name` is its own module too. Of several dist-info files those that the tests need. */
export function buildSchemeWheel(
  name: string,
  version: string,
  more: ReadonlyMap<string, string> = new Map(),
): Wheel {
  const info = `${name}-${version}.dist-info`
  const data = `${name}-${version}.data`
  const metadata = Buffer.from(`Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n\n`)
  const files = new Map<string, Uint8Array>([
    [`${name}/__init__.py`, Buffer.from('def main():\n    print("hello")\n')],
    [`${name}/_fast.so`, Buffer.alloc(70_000, 'so')],
    [`${data}/scripts/${name}-script`, Buffer.from('#!python\nprint("from a script")\n')],
    [`${data}/scripts/${name}-shell`, Buffer.from('#!/bin/sh\necho hello\n')],
    [`${data}/data/share/${name}/data.txt`, Buffer.from('data\n')],
    [`${data}/headers/${name}.h`, Buffer.from('#define X 1\n')],
    [`${data}/purelib/${name}_pure.py`, Buffer.from('pure = 1\n')],
    [`${info}/METADATA`, metadata],
    [
      `${info}/WHEEL`,
      Buffer.from(
        `Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n`,
      ),
    ],
    [`${info}/entry_points.txt`, Buffer.from(`[console_scripts]\n${name}-run = ${name}:main\n`)],
    ...[...more].map(([path, text]) => [path, Buffer.from(text)] as const),
  ])
  const lines = Array.from(files, ([path, bytes]) => {
    const digest = createHash('sha256').update(bytes).digest('base64url')
    return `${path},sha256=${digest},${bytes.length}`
  })
  files.set(`${info}/RECORD`, Buffer.from(`${[...lines, `${info}/RECORD,,`].join('\n')}\n`))
  const bytes = buildZip(files)
  const filename = `${name}-${version}-py3-none-any.whl`
  return { filename, bytes, metadata, sha256: sha256(bytes) }
}
