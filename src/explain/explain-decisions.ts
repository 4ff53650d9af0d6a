/** What somebody decided, and what was asked for in a way that is not answered. */

import type { DecisionCode, RequestCode } from '../base/errors.ts'
import {
  otherVersion,
  runDoctor,
  tellOperator,
  tryAgain,
  type CodeExplanation,
  type Step,
} from './code-explanation.ts'

const useIndexUrl: Step = {
  text: 'Use the proxy as the index of your installer.',
  command: 'pip install --index-url PROXY/simple/ PROJECT',
}

const nothing: Step = { text: 'Nothing.' }

export const decisionExplanations = {
  DENIED: {
    rule: 'What the operator or the mirror has withdrawn is not handed out, whoever signed it.',
    clause: 'setting deny; tufgate mirror deny',
    meaning: [
      'The version is known to be harmful or broken: somebody decided so, and the refusal says since when and why.',
      'A rule was written more widely than it was meant.',
    ],
    next: {
      user: [
        otherVersion,
        {
          text: 'Did an earlier installation get it? Then ask whoever runs this proxy what to do about it.',
        },
      ],
      operator: [
        {
          text: 'See what was withdrawn on the mirror, and why.',
          command: 'tufgate mirror deny list MIRROR',
        },
        { text: 'A rule of this proxy stands in the settings: deny under [policy].' },
        {
          text: 'See who got it before.',
          command: 'tufgate audit show --project PROJECT --kind released',
        },
      ],
    },
  },
  TOO_YOUNG: {
    rule: 'Files younger than the minimum age of the settings are not handed out yet.',
    clause: 'setting min-age',
    meaning: [
      'The release is new. Most harmful releases are found and removed within days, which is why they wait.',
      'Nobody knows how old the file is: the index gives no time of upload.',
    ],
    next: {
      user: [
        {
          text: 'Wait until the file is old enough. Where the time is known, a refusal of the file names it.',
        },
        { text: 'Ask for an older version.' },
      ],
      operator: [
        {
          text: 'To let one project through at once, add it to `except` under [policy] in the settings.',
        },
      ],
    },
  },
  NOT_PINNED: {
    rule: 'Only files that the pins file names are handed out.',
    clause: 'setting pins',
    meaning: [
      'The file is newer than the pins file, or was never added to it.',
      'Somebody brought in a dependency that nobody has looked at.',
    ],
    next: {
      user: [{ text: 'Ask for a version that is in the pins file.' }, tellOperator],
      operator: [
        {
          text: 'If it is wanted, write the pins file anew, and look at the difference before you keep it.',
          command: 'tufgate pins export -o pins.txt',
        },
      ],
    },
  },
  REMOVED: {
    rule: 'What the index itself has taken away is not handed out any more.',
    clause: 'PEP 792 (quarantine)',
    meaning: [
      'The author deleted the release, often because it was broken.',
      'The index took it away because it was harmful.',
      'The index lost it, or shows this proxy other pages than the rest of the world.',
    ],
    next: {
      user: [otherVersion, tellOperator],
      operator: [
        {
          text: 'See when it went, on the machine of the mirror.',
          command: 'tufgate mirror log MIRROR PROJECT',
        },
      ],
    },
  },
  CONFLICT: {
    rule: 'A file name keeps the fingerprint (sha256) that was written down for it first.',
    clause: 'setting pins',
    meaning: [
      'The pins file was written against another index or mirror.',
      'The author uploaded another file under the same name. PyPI does not allow that; other indexes do.',
      'Somebody put another file in the place of a known one.',
    ],
    next: {
      user: [tellOperator],
      operator: [
        {
          text: 'Compare what is served now with the pins file.',
          command: 'tufgate pins export -o new-pins.txt; diff pins.txt new-pins.txt',
        },
        {
          text: 'On the machine of the mirror, see what the index showed.',
          command: 'tufgate mirror log MIRROR PROJECT',
        },
      ],
    },
  },
} satisfies Record<DecisionCode, CodeExplanation>

export const requestExplanations = {
  BAD_REQUEST: {
    rule: 'Only plain requests for pages and files are answered.',
    clause: 'RFC 9112',
    meaning: [
      'An address was put together wrongly: a doubled slash, a query, or a tool that expects another kind of server.',
      'A scanner or a broken client.',
      'Somebody tries to smuggle a request past the checks.',
    ],
    next: {
      user: [useIndexUrl, runDoctor],
      operator: [
        { text: 'Nothing, unless it comes again and again: then find the client by its address.' },
      ],
    },
  },
  NOT_FOUND: {
    rule: 'Only projects and files that stand in the signed list are served.',
    clause: 'TUF 5.7.2',
    meaning: [
      'The name is mistyped, or the project is not there.',
      'The mirror has not signed this project, or not yet this release.',
      'A lock file names a file that was there once.',
      'Somebody hopes that you install a name that nobody has registered yet.',
    ],
    next: {
      user: [{ text: 'Check the name and the version.' }, tellOperator],
      operator: [
        {
          text: 'To have it signed, on the machine of the mirror.',
          command: 'tufgate mirror sync MIRROR --project PROJECT',
        },
      ],
    },
  },
  METHOD_NOT_ALLOWED: {
    rule: 'This proxy answers only requests that read (GET and HEAD).',
    meaning: [
      'Something tried to upload or to change something, such as twine with the address of the proxy.',
    ],
    next: { user: [{ text: 'Upload to the index itself.' }], operator: [nothing] },
  },
  HOST_NOT_ALLOWED: {
    rule: 'A request must name this proxy by a name that it knows.',
    meaning: [
      'The proxy is reached by a name that its settings do not list.',
      'A web page tries to use this proxy by a name that it made to lead here (DNS rebinding).',
    ],
    next: {
      user: [{ text: 'Use the address that tufgate printed when it started.' }, tellOperator],
      operator: [
        { text: 'Add the name to `hosts` in the settings if clients are meant to use it.' },
      ],
    },
  },
  ORIGIN_NOT_ALLOWED: {
    rule: 'A web page of another site may not send requests here.',
    meaning: [
      'You clicked a link on another web page, such as the log of a build.',
      'A web page tries to use this proxy behind your back. It got nothing.',
    ],
    next: {
      user: [{ text: 'Copy the address, and paste it into the address bar of a new tab.' }],
      operator: [nothing],
    },
  },
  FORWARD_REFUSED: {
    rule: 'Through this proxy only the indexes can be reached, checked, and what its settings allow.',
    meaning: [
      'A program was told to use this proxy for everything, and asked for something that is no package.',
      'The index is asked for over HTTPS, which cannot be looked into without a certificate for it.',
      'Something tries to reach an address of the network behind the proxy.',
    ],
    next: {
      user: [useIndexUrl, runDoctor],
      operator: [
        { text: 'Where clients need that host, list it in the settings: allow, in [forward].' },
        { text: 'For HTTPS to an index: enabled = true, in [intercept].' },
      ],
    },
  },
  PROXY_AUTHENTICATION: {
    rule: 'A proxy that was started for one command serves that command alone.',
    clause: 'RFC 9110 11.7',
    meaning: [
      'Another program of this machine found the port of the proxy.',
      'The address of the proxy was copied without its user name and password.',
    ],
    next: {
      user: [{ text: 'Start a proxy for your own command.', command: 'tufgate run -- COMMAND' }],
      operator: [nothing],
    },
  },
  RANGE_NOT_SATISFIABLE: {
    rule: 'A piece of a file must lie within the file.',
    clause: 'RFC 9110 14.2',
    meaning: [
      'A broken off download was continued against another file, or it was complete already.',
    ],
    next: {
      user: [
        {
          text: 'Run the same command again, without what was downloaded so far.',
          command: 'pip cache purge',
        },
      ],
      operator: [nothing],
    },
  },
  NOT_SIGNED: {
    rule: 'A name that the settings give to one index is served from its signed list, or not at all.',
    clause: 'setting projects',
    meaning: [
      'The project is not published on that index, or its mirror has not signed it yet.',
      'The name is mistyped.',
      'A change of the project waits for a person to look at it.',
      'Somebody published a public project under the name of an inner one, and hopes that it is installed instead.',
    ],
    next: {
      user: [{ text: 'Check the name.' }, tellOperator],
      operator: [
        {
          text: 'See whether it waits for a person, on the machine of the mirror.',
          command: 'tufgate mirror held MIRROR PROJECT',
        },
        { text: 'To have it signed.', command: 'tufgate mirror sync MIRROR --project PROJECT' },
      ],
    },
  },
} satisfies Record<RequestCode, CodeExplanation>

export const bugExplanation: CodeExplanation = {
  rule: 'When something happens that nobody foresaw, the request is refused.',
  meaning: ['A fault of tufgate. The request did not get anything that was not checked.'],
  next: {
    user: [tryAgain, tellOperator],
    operator: [
      {
        text: 'Look for the request id on the standard error of the proxy, and report what stands there.',
      },
    ],
  },
}
