/** The first record of a TLS 1.3 client (RFC 8446 4.1.2), the same each time: good enough to be answered. */

/** X25519's base point: any 32 bytes are a public key. */
const publicKey = Buffer.alloc(32, 0).fill(9, 0, 1)

const suites = [0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f]
const groups = [0x001d, 0x0017]
const schemes = [0x0403, 0x0804, 0x0401]

/** Without a server name where it is empty. */
export function buildClientHello(serverName: string): Buffer {
  const extensions = [
    ...(serverName === '' ? [] : [extension(0, list(Buffer.concat([one(0), sized(serverName)])))]),
    extension(10, list(words(groups))),
    extension(13, list(words(schemes))),
    extension(16, list(Buffer.concat([one(8), Buffer.from('http/1.1')]))),
    extension(43, Buffer.concat([one(4), words([0x0304, 0x0303])])),
    extension(51, list(Buffer.concat([words([0x001d]), list(publicKey)]))),
  ]
  const body = Buffer.concat([
    words([0x0303]),
    Buffer.alloc(32, 7),
    one(0),
    list(words(suites)),
    Buffer.from([1, 0]),
    list(Buffer.concat(extensions)),
  ])
  const handshake = Buffer.concat([one(1), one(0), list(body)])
  return Buffer.concat([one(0x16), words([0x0301]), list(handshake)])
}

function extension(kind: number, content: Buffer): Buffer {
  return Buffer.concat([words([kind]), list(content)])
}

/** With its length, of two bytes, before it. */
function list(content: Buffer): Buffer {
  return Buffer.concat([words([content.length]), content])
}

function sized(text: string): Buffer {
  return list(Buffer.from(text))
}

function one(byte: number): Buffer {
  return Buffer.from([byte])
}

function words(values: readonly number[]): Buffer {
  return Buffer.from(values.flatMap((value) => [value >> 8, value & 0xff]))
}
