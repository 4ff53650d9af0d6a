/**
 * The same codes where no mirror vouches for anything: what the index showed first is remembered, and
 * nobody says "signed" or "verified" of it. Only what differs from the tables of a mirror stands here.
 */

import type { ErrorCode } from '../base/errors.ts'
import {
  otherNetwork,
  hideMetadata,
  otherVersion,
  tellOperator,
  tryAgain,
  showSimilar,
  type CodeExplanation,
  type Step,
} from './code-explanation.ts'

const beginAnew: Step = {
  text: 'To accept what the index shows now, for all of its projects: write down what was seen, then begin anew, and compare.',
  command: 'tufgate pins export -o before.txt; tufgate notary forget',
}

const restoreState: Step = {
  text: 'Look at the disk, and put the state folder back from a backup.',
}

const damaged: CodeExplanation = {
  rule: 'What this proxy wrote down when it first saw a project must fit together.',
  meaning: [
    'Files in the state folder were damaged, deleted, or put back from an old backup.',
    'Somebody who can write to the state folder changed them.',
  ],
  next: {
    user: [tellOperator],
    operator: [restoreState, beginAnew],
  },
}

const lost: CodeExplanation = {
  ...damaged,
  next: {
    user: [tellOperator],
    operator: [
      restoreState,
      {
        text: 'Or look at the project again. The fingerprints that were seen are kept.',
        command: 'tufgate mirror sync NOTARY --project PROJECT --full',
      },
    ],
  },
}

const unseen: CodeExplanation = {
  rule: 'What was seen first is handed out only while the index can still be asked about it (max-unseen, 48 hours by default).',
  clause: 'setting max-unseen',
  meaning: [
    'The index cannot be reached from here, or is down.',
    'Somebody keeps the index away, so that removed files stay available.',
  ],
  next: {
    user: [tryAgain, tellOperator],
    operator: [
      {
        text: 'See to the way to the index, or raise `max-unseen` in the settings.',
        command: 'tufgate doctor',
      },
    ],
  },
}

const changedFile: CodeExplanation = {
  rule: 'A file is handed out only if its fingerprint (sha256) is the one that was seen when it was first asked for.',
  meaning: [
    'The download was damaged or cut by a cache, a company proxy or a virus scanner on the way.',
    'The file on its host was changed since it was first seen. PyPI never does that; other indexes sometimes let an author upload the same name again.',
    'Somebody put another file in its place, now or at the first time: which of the two was right is not known.',
  ],
  next: { user: [tryAgain, tellOperator], operator: [showSimilar, otherNetwork, beginAnew] },
}

const otherMetadata: CodeExplanation = {
  rule: 'A wheel is handed out only if the METADATA inside of it and the .metadata file beside it, by which installers plan, are the same.',
  clause: 'PEP 658',
  meaning: [
    'The index made the .metadata file wrongly: then other wheels of it are refused for the same reason.',
    'Somebody forged the .metadata file at the index before it was first seen here, so that more, or other, packages get installed beside this one.',
  ],
  next: {
    user: [tellOperator, otherVersion],
    operator: [
      showSimilar,
      {
        text: 'Tell the index. Once it is mended, look at the project again: installers then read the wheel itself.',
        command: 'tufgate mirror sync NOTARY --project PROJECT --full',
      },
      hideMetadata,
    ],
  },
}

export const firstUseExplanations: ReadonlyMap<ErrorCode, CodeExplanation> = new Map<
  ErrorCode,
  CodeExplanation
>([
  ['DIGEST_MISMATCH', changedFile],
  ['CORE_METADATA_MISMATCH', otherMetadata],
  ['LENGTH_MISMATCH', changedFile],
  ['INDEX_UNSEEN', unseen],
  ['EXPIRED', unseen],
  ['METADATA_UNAVAILABLE', lost],
  ['SIGNATURE_THRESHOLD', damaged],
  ['VERSION_ROLLBACK', damaged],
  ['VERSION_MISMATCH', damaged],
  ['ROLE_NOT_IN_SNAPSHOT', damaged],
  ['SEARCH_LIMIT', damaged],
  [
    'MALFORMED',
    {
      rule: 'What cannot be read without any doubt is not used at all.',
      clause: 'PEP 691, RFC 8259',
      meaning: [
        'The index answered with something else: an error page, a login page.',
        'The index publishes something broken, or a download was damaged.',
      ],
      next: { user: [tryAgain, tellOperator], operator: [otherNetwork] },
    },
  ],
  [
    'UNSUPPORTED',
    {
      rule: 'A format that this version of tufgate does not know is not guessed at.',
      clause: 'PEP 629',
      meaning: ['The index is newer than this tufgate.'],
      next: {
        user: [tellOperator],
        operator: [{ text: 'Look for a newer tufgate.', command: 'tufgate --version' }],
      },
    },
  ],
  [
    'CLOCK_WRONG',
    {
      rule: 'The clock of this machine must not be behind times that were written down already.',
      meaning: [
        'The clock of this machine is wrong: a fresh virtual machine, an empty battery, no time service.',
        'The clock was ahead before.',
      ],
      next: {
        user: [tellOperator],
        operator: [
          {
            text: 'Look at the clock of this machine, and set it right.',
            command: 'timedatectl status',
          },
          beginAnew,
        ],
      },
    },
  ],
  [
    'RECORD_REFUSED',
    {
      rule: 'The page of a project must list each of its files clearly: its own name, one fingerprint, one address.',
      clause: 'PEP 503, PEP 691',
      meaning: [
        'The index lists something odd for this project.',
        'Somebody tries to pass a file off as one of another project or version.',
      ],
      next: {
        user: [tellOperator],
        operator: [{ text: 'Look at the page of the project on the index.' }],
      },
    },
  ],
  ['ROOT_CHANGED', damaged],
  [
    'DENIED',
    {
      rule: 'What the operator has withdrawn is not handed out.',
      clause: 'setting deny',
      meaning: [
        'The version is known to be harmful or broken: somebody decided so.',
        'A rule was written more widely than it was meant.',
      ],
      next: {
        user: [otherVersion],
        operator: [
          { text: 'The rule stands in the settings: deny under [policy].' },
          {
            text: 'See who got it before.',
            command: 'tufgate audit show --project PROJECT --kind released',
          },
        ],
      },
    },
  ],
  [
    'NOT_FOUND',
    {
      rule: 'Only projects and files that the index lists are served.',
      meaning: [
        'The name is mistyped, or the project is not there. That is what the index says; it is not proven.',
        'A lock file names a file that was there once.',
      ],
      next: {
        user: [{ text: 'Check the name and the version.' }, tellOperator],
        operator: [showSimilar],
      },
    },
  ],
  [
    'NOT_SIGNED',
    {
      rule: 'A name that the settings give to one index is served from there, or not at all.',
      clause: 'setting projects',
      meaning: [
        'The project is not published on that index.',
        'The name is mistyped.',
        'A change of the project waits for a person to look at it.',
        'Somebody published a public project under the name of an inner one, and hopes that it is installed instead.',
      ],
      next: {
        user: [{ text: 'Check the name.' }, tellOperator],
        operator: [
          {
            text: 'The warnings of the proxy say what waits, and how to accept it.',
            command: 'tufgate audit show --kind warning --project PROJECT',
          },
        ],
      },
    },
  ],
  [
    'REMOVED',
    {
      rule: 'What the index itself has taken away is not handed out any more.',
      clause: 'PEP 792 (quarantine)',
      meaning: [
        'The author deleted the release, often because it was broken.',
        'The index took it away because it was harmful.',
      ],
      next: {
        user: [otherVersion, tellOperator],
        operator: [{ text: 'See when it went.', command: 'tufgate audit show --project PROJECT' }],
      },
    },
  ],
  [
    'CONFLICT',
    {
      rule: 'A file name keeps the fingerprint (sha256) that was seen for it first, or that the pins file names.',
      clause: 'setting pins',
      meaning: [
        'The author uploaded another file under the same name. PyPI does not allow that; other indexes do.',
        'Somebody put another file in the place of a known one.',
      ],
      next: { user: [tellOperator], operator: [otherNetwork, beginAnew] },
    },
  ],
  [
    'HELD',
    {
      rule: 'An unusual change waits until a person has looked at it. What was there before is served on.',
      meaning: [
        'The project changed in an unusual way that its maintainers meant.',
        'Somebody took over the project or the index.',
      ],
      next: {
        user: [{ text: 'Ask for an earlier version.' }, tellOperator],
        operator: [
          {
            text: 'The warnings of the proxy say what waits, and how to accept it.',
            command: 'tufgate audit show --kind warning --project PROJECT',
          },
        ],
      },
    },
  ],
])
