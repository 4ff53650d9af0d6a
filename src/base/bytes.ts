/** Bytes and text: strict UTF-8, hexadecimal, and text that is safe to show on one line. */

export type Bytes = Uint8Array

const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

export function encodeUtf8(text: string): Bytes {
  return encoder.encode(text)
}

/** Throws a TypeError where the bytes are not UTF-8; keeps a byte order mark as a character. */
export function decodeUtf8(bytes: Bytes): string {
  return strictDecoder.decode(bytes)
}

export function encodeHex(bytes: Bytes): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

/** `undefined` where the text is not an even number of hexadecimal digits of either case. */
export function decodeHex(text: string): Bytes | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined
  return new Uint8Array(Buffer.from(text, 'hex'))
}

export function equalBytes(left: Bytes, right: Bytes): boolean {
  return Buffer.compare(left, right) === 0
}

/**
 * Untrusted text for a log line, a reason phrase or a terminal: printable ASCII on one line.
 * Everything else becomes `?`, so that neither control characters nor look-alikes get through.
 */
export function toPrintable(raw: string, maxLength = 200): string {
  const cut = raw.length > maxLength ? `${raw.slice(0, maxLength - 3)}...` : raw
  return cut.replaceAll(/[^\x20-\x7e]/g, '?')
}
