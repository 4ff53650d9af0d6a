/** Real wheels, small or large, made on the spot (binary distribution format, PEP 427; core metadata, PEP 643). */

import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'

export interface WheelContent {
  readonly name: string
  readonly version: string
  readonly summary?: string
  readonly requires?: readonly string[]
  readonly requiresPython?: string
  /** Text of the one module, called like the project. */
  readonly code?: string
  /** `command = "module:function"` */
  readonly scripts?: Readonly<Record<string, string>>
  /** More files in the package, such as a large one. */
  readonly data?: ReadonlyMap<string, Uint8Array>
}

export interface Wheel {
  readonly filename: string
  readonly bytes: Buffer
  /** The METADATA file, which an index may serve beside the wheel (PEP 658). */
  readonly metadata: Buffer
  readonly sha256: string
}

export function buildWheel(content: WheelContent): Wheel {
  const { name, version, scripts = {}, data = new Map<string, Uint8Array>() } = content
  const module = name.replaceAll('-', '_')
  const info = `${module}-${version}.dist-info`
  const metadata = Buffer.from(renderMetadata(content))
  const files = new Map<string, Uint8Array>([
    [`${module}/__init__.py`, Buffer.from(content.code ?? `__version__ = "${version}"\n`)],
    ...[...data].map(([path, bytes]) => [`${module}/${path}`, bytes] as const),
    [`${info}/METADATA`, metadata],
    [`${info}/WHEEL`, Buffer.from(wheelFile)],
  ])
  if (Object.keys(scripts).length > 0) {
    const lines = Object.entries(scripts).map(([command, target]) => `${command} = ${target}`)
    files.set(`${info}/entry_points.txt`, Buffer.from(`[console_scripts]\n${lines.join('\n')}\n`))
  }
  files.set(`${info}/RECORD`, Buffer.from(renderRecordFile(files, `${info}/RECORD`)))
  const bytes = buildZip(files)
  return {
    filename: `${module}-${version}-py3-none-any.whl`,
    bytes,
    metadata,
    sha256: sha256(bytes),
  }
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

const wheelFile =
  'Wheel-Version: 1.0\nGenerator: tufgate-test\nRoot-Is-Purelib: true\nTag: py3-none-any\n'

function renderMetadata(content: WheelContent): string {
  const { name, version, summary, requires = [], requiresPython } = content
  return [
    'Metadata-Version: 2.1',
    `Name: ${name}`,
    `Version: ${version}`,
    ...(summary === undefined ? [] : [`Summary: ${summary}`]),
    ...(requiresPython === undefined ? [] : [`Requires-Python: ${requiresPython}`]),
    ...requires.map((requirement) => `Requires-Dist: ${requirement}`),
    '',
    '',
  ].join('\n')
}

function renderRecordFile(files: ReadonlyMap<string, Uint8Array>, self: string): string {
  const lines = Array.from(files, ([path, bytes]) => {
    const digest = createHash('sha256').update(bytes).digest('base64url')
    return `${path},sha256=${digest},${bytes.length}`
  })
  return `${[...lines, `${self},,`].join('\n')}\n`
}

/** A zip archive with everything stored, not compressed. */
export function buildZip(files: ReadonlyMap<string, Uint8Array>): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [path, bytes] of files) {
    const name = Buffer.from(path)
    const fields = Buffer.alloc(26)
    fields.writeUInt16LE(20, 0) // version needed
    fields.writeUInt16LE(0x0800, 2) // names are UTF-8
    fields.writeUInt16LE(0x21, 8) // 1 January 1980
    fields.writeUInt32LE(crc32(bytes), 10)
    fields.writeUInt32LE(bytes.length, 14)
    fields.writeUInt32LE(bytes.length, 18)
    fields.writeUInt16LE(name.length, 22)
    const place = Buffer.alloc(14)
    place.writeUInt32LE((0o100644 << 16) >>> 0, 6)
    place.writeUInt32LE(offset, 10)
    parts.push(signature(0x04034b50), fields, name, Buffer.from(bytes))
    directory.push(signature(0x02014b50), Buffer.from([20, 3]), fields, place, name)
    offset += 4 + fields.length + name.length + bytes.length
  }
  const central = Buffer.concat(directory)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(files.size, 4)
  end.writeUInt16LE(files.size, 6)
  end.writeUInt32LE(central.length, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...parts, central, signature(0x06054b50), end])
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
