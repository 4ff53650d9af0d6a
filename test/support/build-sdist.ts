/** Real source distributions (PEP 625, PEP 517): a gzipped tar whose build runs what it likes. */

import { gzipSync } from 'node:zlib'

export interface SdistContent {
  readonly name: string
  readonly version: string
  /** Python that runs when the sdist is prepared or built, before anything is installed. */
  readonly setup?: string
}

export interface Sdist {
  readonly filename: string
  readonly bytes: Buffer
}

export function buildSdist({ name, version, setup = '' }: SdistContent): Sdist {
  const base = `${name.replaceAll('-', '_')}-${version}`
  const metadata = `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`
  const script = `${setup}\nfrom setuptools import setup\nsetup(name=${JSON.stringify(name)}, version=${JSON.stringify(version)})\n`
  const files = new Map([
    [`${base}/PKG-INFO`, metadata],
    [`${base}/setup.py`, script],
  ])
  return { filename: `${base}.tar.gz`, bytes: gzipSync(buildTar(files)) }
}

/** The same file made longer: gzip readers stop at the end of its data, or skip the zeros. */
export function padTo(bytes: Uint8Array, length: number): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(length - bytes.length)])
}

const blockBytes = 512

function buildTar(files: ReadonlyMap<string, string>): Buffer {
  const blocks = Array.from(files, ([path, text]) => {
    const content = Buffer.from(text)
    const padding = Buffer.alloc((blockBytes - (content.length % blockBytes)) % blockBytes)
    return Buffer.concat([buildHeader(path, content.length), content, padding])
  })
  return Buffer.concat([...blocks, Buffer.alloc(2 * blockBytes)])
}

/** POSIX ustar. */
function buildHeader(path: string, length: number): Buffer {
  const header = Buffer.alloc(blockBytes)
  header.write(path, 0, 100)
  header.write('0000644\0', 100)
  header.write('0000000\0', 108)
  header.write('0000000\0', 116)
  header.write(`${length.toString(8).padStart(11, '0')}\0`, 124)
  header.write('00000000000\0', 136)
  header.write('        ', 148)
  header.write('0', 156)
  header.write('ustar\x0000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return header
}
