/** What could not be fetched, or not from there. */

import type { UpstreamCode } from '../base/errors.ts'
import {
  mirrorHealth,
  runDoctor,
  showWarnings,
  tellOperator,
  tryAgain,
  type CodeExplanation,
  type Step,
} from './code-explanation.ts'

const askHost: Step = {
  text: 'Ask the host of the file from the machine of the proxy: does it answer there?',
  command: 'curl -sSI https://HOST/',
}

const proxyVariables: Step = {
  text: 'Where the way out leads through a company proxy, HTTPS_PROXY must be set for tufgate.',
}

const operatorOfFetch = [askHost, proxyVariables, runDoctor]

export const fetchExplanations = {
  METADATA_UNAVAILABLE: {
    rule: 'Without the part of the list that names a project nothing of that project is handed out.',
    clause: 'TUF 5.6.1, 5.7.2',
    meaning: [
      'The mirror cannot be reached just now, or is publishing.',
      'The mirror lacks a file: an interrupted copy, or a cleaned up disk.',
      'Somebody keeps this part away. The answer is the same: nothing without it.',
    ],
    next: { user: [tryAgain, tellOperator], operator: [showWarnings, mirrorHealth] },
  },
  UNREACHABLE: {
    rule: 'The server that has the file must answer.',
    meaning: [
      'The server, the network or the name service is down for the moment.',
      'A firewall, or a company proxy that tufgate does not know of, stands in the way.',
    ],
    next: { user: [tryAgain, tellOperator], operator: operatorOfFetch },
  },
  TIMED_OUT: {
    rule: 'An answer must come within the time that the settings allow.',
    meaning: [
      'The server or the network is slow just now.',
      'A firewall swallows the requests without a word.',
      'The file is large and is still being fetched: then it is there at the next try.',
    ],
    next: { user: [tryAgain, tellOperator], operator: operatorOfFetch },
  },
  TOO_SLOW: {
    rule: 'A download must reach a minimum speed (min-rate in the settings).',
    clause: 'TUF 1.5.2: slow retrieval',
    meaning: [
      'The network is slow or crowded.',
      'Somebody sends a file so slowly that an installation never ends.',
    ],
    next: {
      user: [tryAgain, tellOperator],
      operator: [
        {
          text: 'On a slow line, lower `min-rate` or raise `min-rate-over` under [limits] in the settings.',
        },
        askHost,
      ],
    },
  },
  ACCESS_DENIED: {
    rule: 'The index lets in only whom it knows, and it did not let this proxy in.',
    meaning: [
      'The user name or password of the index is wrong, has expired or was taken back.',
      'They are right, but may not read this project.',
      'The index is a private one, and its settings name no credentials.',
      'The index keeps its files on another host, to which its credentials are not sent.',
    ],
    next: {
      user: [tellOperator],
      operator: [
        {
          text: 'Look at what `credentials` of this index in the settings names; the message says which. Then start the proxy again.',
        },
        { text: 'Ask whoever runs the index whether this account may read the project.' },
      ],
    },
  },
  BAD_STATUS: {
    rule: 'Only a plain success (200) of the server counts as an answer.',
    meaning: [
      'The server has a fault of its own, or too many requests (429, 500 to 504).',
      'The file was taken off its host (404, 410) although the list still names it.',
      'The server denies access (403).',
      'What the server sends is no answer: headers without an end, an encoding that nobody asked for.',
    ],
    next: {
      user: [tryAgain, tellOperator],
      operator: [
        askHost,
        { text: 'For a 403 of a private index, set `credentials` of the index in the settings.' },
        {
          text: 'For a 404, on the machine of the mirror look at the project again.',
          command: 'tufgate mirror sync MIRROR --project PROJECT',
        },
      ],
    },
  },
  BROKEN_OFF: {
    rule: 'Half of an answer is no answer.',
    meaning: [
      'The connection to the server broke down while the file was on its way.',
      'A proxy or scanner on the way gives up on large files.',
    ],
    next: { user: [tryAgain, tellOperator], operator: operatorOfFetch },
  },
  TOO_LARGE: {
    rule: 'Nothing is fetched that is larger than the settings allow.',
    clause: 'TUF 1.5.2: endless data',
    meaning: [
      'The file is larger than the limit, and wanted all the same.',
      'Somebody sends data without an end.',
    ],
    next: {
      user: [tellOperator],
      operator: [
        {
          text: 'If the file is wanted, raise `file` or `unsized-file` under [limits] in the settings.',
        },
      ],
    },
  },
  HOST_REFUSED: {
    rule: 'Files are fetched only from hosts that the settings name, and not from private addresses.',
    clause: 'setting file-hosts',
    meaning: [
      'The index keeps its files on another host, which the settings do not name yet.',
      'The name of the host leads to a private address here: a split name service.',
      'A page or a redirect tries to make this proxy ask machines of the inner network.',
    ],
    next: {
      user: [tellOperator],
      operator: [
        {
          text: 'If the files of this index really are there, add the host to `file-hosts` of the index in the settings.',
        },
        showWarnings,
      ],
    },
  },
} satisfies Record<UpstreamCode, CodeExplanation>
