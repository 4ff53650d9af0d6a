/** Sends any bytes in any pieces, and reads what comes back as strictly as a client could. */

import { connect, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import type { Duplex } from 'node:stream'
import type { Bytes } from '../../../src/base/bytes.ts'
import type { Dice } from '../dice.ts'
import { requireRule } from '../target.ts'

export interface Answer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  /** All that came of it; fewer bytes than announced where the answer was cut off. */
  readonly body: Buffer
  readonly isWhole: boolean
}

export async function openConnection(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  socket.removeAllListeners('error')
  return socket
}

/** In one piece, in a few, or byte by byte; and at times the client leaves in the middle of it. */
export async function sendInPieces(socket: Duplex, input: Bytes, dice: Dice): Promise<Buffer> {
  const received = receive(socket)
  const way = dice.roll(8)
  const stop = way === 7 ? dice.roll(input.length + 1) : input.length
  const pieceBytes = way < 4 ? input.length : 1 + dice.roll(way === 4 ? 3 : 400)
  for (let at = 0; at < stop && at < 400 * pieceBytes; at += pieceBytes) {
    if (!socket.writable) break
    socket.write(input.subarray(at, Math.min(at + pieceBytes, stop)))
    // oxlint-disable-next-line no-await-in-loop -- each piece by itself
    if (pieceBytes < input.length) await setImmediate()
  }
  if (way === 7 && dice.roll(2) === 1) socket.destroy()
  else socket.end()
  return received
}

/** Until the other side ends it, in whatever way. */
async function receive(socket: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = []
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => void chunks.push(chunk))
    socket.once('end', resolve)
    // A connection that is reset is an answer too.
    socket.on('error', () => resolve())
    socket.once('close', resolve)
  })
  socket.destroy()
  return Buffer.concat(chunks)
}

const endOfHead = Buffer.from('\r\n\r\n')

/** One after the other, with nothing between them. */
export function readAnswers(received: Buffer): Answer[] {
  const answers: Answer[] = []
  let rest = received
  while (rest.length > 0) {
    const end = rest.indexOf(endOfHead)
    // The last one may be cut off anywhere.
    if (end < 0) {
      requireRule(
        rest.toString('latin1').startsWith('HTTP/1.1 '.slice(0, rest.length)),
        'no answer',
      )
      return answers
    }
    const { status, headers } = parseHead(rest.subarray(0, end).toString('latin1'))
    const { body, isWhole } = takeBody(rest.subarray(end + endOfHead.length), status, headers)
    answers.push({ status, headers, body, isWhole })
    rest = rest.subarray(end + endOfHead.length + body.length)
  }
  return answers
}

function parseHead(text: string): Pick<Answer, 'status' | 'headers'> {
  const [first = '', ...lines] = text.split('\r\n')
  const status = /^HTTP\/1\.[01] (\d{3}) [ -~]*$/.exec(first)?.[1]
  requireRule(status !== undefined, `an answer that begins with ${JSON.stringify(first)}`)
  const headers = new Map<string, string>()
  for (const line of lines) {
    const [, name, value = ''] = /^([!-9;-~]+): ?([\t -~]*)$/.exec(line) ?? []
    requireRule(name !== undefined, `an odd header: ${JSON.stringify(line)}`)
    requireRule(!headers.has(name.toLowerCase()), `${name} stands twice`)
    headers.set(name.toLowerCase(), value)
  }
  return { status: Number(status), headers }
}

/** Whether HEAD was asked is not known here: then the next answer begins at once, or nothing comes. */
function takeBody(
  rest: Buffer,
  status: number,
  headers: ReadonlyMap<string, string>,
): Pick<Answer, 'body' | 'isWhole'> {
  const rawLength = headers.get('content-length')
  requireRule(!headers.has('transfer-encoding'), 'an answer in chunks')
  const isBare = status < 200 || status === 204 || status === 304
  if (isBare || rawLength === undefined) {
    const isTunnel = status === 200 && rawLength === undefined
    requireRule(isBare || isTunnel, `an answer of status ${status} without a length`)
    return { body: isTunnel ? rest : Buffer.alloc(0), isWhole: true }
  }
  const length = Number(rawLength)
  requireRule(Number.isSafeInteger(length) && length >= 0, 'an odd length')
  if (rest.length === 0 || rest.subarray(0, 9).equals(Buffer.from('HTTP/1.1 '))) {
    return { body: Buffer.alloc(0), isWhole: length === 0 }
  }
  return { body: rest.subarray(0, length), isWhole: rest.length >= length }
}
