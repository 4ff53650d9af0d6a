/** What a client may ask for, or an index may call a file, to reach whoever reads a report. */

import type { SessionSummary } from '../../src/report/session-summary.ts'
import { entry, refused, released, summarize } from './session-support.ts'

export const hostileNames: readonly string[] = [
  '::error::owned',
  '%0A::set-output name=x::y',
  'a\r\n::add-mask::b',
  '##[error]owned',
  '</code></td><script>alert(1)</script>',
  '| cell | cell |\n|---|---|',
  '`code` ```\n# heading',
  '[click](javascript:alert(1))',
  '![x](https://evil.example/pixel.png)',
  'https://evil.example/ www.evil.example',
  '@everyone #1 GH-1',
  '<!-- --> &amp; &#64;root',
  ']]>"\'<failure/>',
  '\u0000\u0007\u001b[2J\u001b]0;title\u0007',
  '\u202egpj.exe \u2028\u2029 \ufeff \ud800 \uffff \u{1f600}',
  '{0} {{1}} [link](0)',
  '$(touch owned) `touch owned`; touch owned',
  '../../etc/passwd',
  '..',
  'x'.repeat(5000),
]

/** Each of them in each place that somebody else fills. */
export function summarizeHostile(): Promise<SessionSummary> {
  return summarize(
    ...hostileNames.flatMap((name) => [
      refused('DIGEST_MISMATCH', {
        project: name,
        file: name,
        message: name,
        expected: name,
        found: `${name}!`,
        next: name,
        id: name,
      }),
      refused(name, { project: name, message: name }),
      refused('FORWARD_REFUSED', { request: `GET ${name}`, message: name }),
      refused('UNREACHABLE', { project: name, file: name, message: name }),
      refused('NOT_FOUND', { project: name, message: name }),
      entry('hidden', { project: name, code: name, message: name, id: name }),
      entry('warning', { code: name, message: name }),
      released(name),
    ]),
  )
}
