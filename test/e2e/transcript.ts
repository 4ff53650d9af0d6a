/** What a person read, without what differs from run to run. */

export function toTranscript(text: string, folder: string): string {
  return text
    .replaceAll(folder, '<folder>')
    .replaceAll(/\b[0-9a-f]{64}\b/g, '<sha256>')
    .replaceAll(/<sha256>\/vault\/tmp\/\S+(?=:)/g, '<sha256>/vault/tmp/<name>')
    .replaceAll(/\d{8}T\d+Z_\S+\.jsonl/g, '<part>.jsonl')
    .replaceAll(/127\.0\.0\.1(:|%3A)\d+/g, '127.0.0.1$1<port>')
    .replaceAll(/\br-[0-9a-z]{6,}\b/g, '<id>')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '<time>')
    .replaceAll(/^\d\d:\d\d:\d\d (?=\w)/gm, '<time> ')
    .trimEnd()
}

/** What pip shows of a status that it did not like; each version puts other words around it. */
export function reasonOf(stderr: string, folder: string): string {
  const [, reason] = /(\d{3} (?:Client|Server) Error: .*?) for url: /.exec(stderr) ?? []
  return toTranscript(reason ?? stderr, folder)
}

/** The parts of a refusal (application/problem+json) that a person reads. */
export function problemOf(body: Uint8Array, folder: string): unknown {
  const { detail, expected, found, next } = JSON.parse(
    toTranscript(String(body), folder),
  ) as Record<string, unknown>
  return { detail, expected, found, next }
}
