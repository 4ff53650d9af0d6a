/** Why a file or a page was handed out: what it was compared with. */

import type { AuditEvent } from '../audit/event.ts'
import type { TrustKind } from '../base/trust-words.ts'
import type { CodeExplanation, Step } from './code-explanation.ts'

const proveLog: Step = {
  text: 'See whether the log that says so was changed since.',
  command: 'tufgate audit verify --log LOG',
}

const nothing: Step = { text: 'Nothing: it is what it should be.' }

export function explainDelivery({ bytes }: AuditEvent, kind: TrustKind): CodeExplanation {
  const isSigned = kind === 'signed'
  const length = bytes === undefined ? '' : ` ${bytes} bytes of it were sent.`
  return {
    rule: isSigned
      ? 'A file is handed out only if its fingerprint (sha256) is the one in the signed list. It was.'
      : 'A file is handed out only if its fingerprint (sha256) is the one that was seen when it was first asked for. It was.',
    clause: isSigned ? 'TUF 5.7.3, PEP 458' : 'trust on first use',
    meaning: [
      `The whole file was on disk and compared before the rest of it left.${length}`,
      isSigned
        ? 'It says who vouches for the file: the holder of the keys. It does not say that the file is harmless.'
        : 'It says that the file has not changed since it was first seen. Nobody vouches for that first time.',
    ],
    next: { user: [nothing], operator: [proveLog] },
  }
}

export function explainPage({ project }: AuditEvent, kind: TrustKind): CodeExplanation {
  if (project === undefined) return explainOwnPage()
  const isSigned = kind === 'signed'
  return {
    rule: isSigned
      ? 'A page is made from the signed record of its project; what the index shows now plays no part.'
      : 'A page is made from what was seen of its project; files that the index changed since are not taken over.',
    clause: isSigned ? 'PEP 458, PEP 691' : 'PEP 691, trust on first use',
    meaning: [
      'The list of files was handed out. Each file is looked at again when it is asked for.',
    ],
    next: { user: [nothing], operator: [proveLog] },
  }
}

/** Of a server that is no index: nobody has checked it. */
export function explainPassed(): CodeExplanation {
  return {
    rule: 'What comes from a server that is no index passes only where the settings name the server, as it is.',
    clause: 'setting forward.allow',
    meaning: [
      'Something that has nothing to do with packages was fetched. It was not checked by anything.',
      'An installer was sent around the index, and got a package that nobody looked at.',
    ],
    next: {
      user: [{ text: 'If a package came this way, take it from the index.' }],
      operator: [
        {
          text: 'See what else passed in this way.',
          command: 'tufgate audit show --kind page --since 24h',
        },
        {
          text: 'If the server is not needed, take it out of `allow` under [forward] in the settings.',
        },
      ],
    },
  }
}

function explainOwnPage(): CodeExplanation {
  return {
    rule: 'Pages of the proxy about itself are made by the proxy alone.',
    meaning: ['Somebody looked at the status, or an address was put right.'],
    next: { user: [nothing], operator: [proveLog] },
  }
}
