/** What was sent and does not pass the checks: files, records, and the parts of the signed list. */

import type { VerifyCode } from '../base/errors.ts'
import {
  askMirrorOperator,
  hideMetadata,
  mirrorCheck,
  mirrorHealth,
  otherNetwork,
  runDoctor,
  showSimilar,
  showWarnings,
  tellOperator,
  tryAgain,
  type CodeExplanation,
} from './code-explanation.ts'

const compareFile = {
  text: 'On the machine of the mirror, download what is signed and compare it.',
  command: 'tufgate mirror verify-files MIRROR --project PROJECT',
}

const compareRoot = {
  text: 'Compare the fingerprint of the root file with the one that the operator of the mirror names.',
  command: 'sha256sum ROOT',
}

const clockStep = {
  text: 'Look at the clock of this machine, and set it right.',
  command: 'timedatectl status',
}

export const checkExplanations = {
  DIGEST_MISMATCH: {
    rule: 'A file is handed out only if its fingerprint (sha256) is the one in the signed list.',
    clause: 'TUF 5.7.3, PEP 458',
    meaning: [
      'The download was damaged or cut by a cache, a company proxy or a virus scanner on the way. This passes, or shows in other files too.',
      'The file on its host is not the one that was signed. PyPI never replaces a file; other indexes sometimes let an author upload the same name again.',
      'Somebody put another file in its place, on the host or on the way. This looks the same as the cases above, so that it is refused like this one.',
    ],
    next: {
      user: [tryAgain, tellOperator],
      operator: [showSimilar, otherNetwork, compareFile],
    },
  },
  CORE_METADATA_MISMATCH: {
    rule: 'A wheel is handed out only if the METADATA inside of it and the .metadata file beside it, by which installers plan, are the same.',
    clause: 'PEP 658',
    meaning: [
      'The index made the .metadata file wrongly: then other wheels of it are refused for the same reason.',
      'Somebody forged the .metadata file before the mirror first saw it, so that more, or other, packages get installed beside this one. The wheel itself is the one that was signed.',
    ],
    next: {
      user: [tellOperator],
      operator: [
        showSimilar,
        compareFile,
        {
          text: 'Compare what the two demand (Requires-Dist), and tell the index. Once it is mended, this makes the record anew: installers then read the wheel itself.',
          command: 'tufgate mirror sync MIRROR --project PROJECT --full',
        },
        hideMetadata,
      ],
    },
  },
  LENGTH_MISMATCH: {
    rule: 'A file or list must be exactly as long as the signed list says.',
    clause: 'TUF 5.7.3',
    meaning: [
      'The download was cut off, or a page of a proxy ("please log in") came in place of the file.',
      'The file on its host is not the one that was signed.',
      'Somebody sends endless or padded data in place of the file.',
    ],
    next: {
      user: [tryAgain, tellOperator],
      operator: [showSimilar, otherNetwork, compareFile],
    },
  },
  MALFORMED: {
    rule: 'What cannot be read without any doubt is not used at all.',
    clause: 'TUF 4, PEP 691, RFC 8259',
    meaning: [
      'An address leads to something else: an error page, a login page, or a folder that is not a mirror.',
      'The mirror or index publishes something broken, or a download was damaged.',
      'Somebody sends data that two programs would read differently. Nothing of it was used.',
    ],
    next: {
      user: [tryAgain, tellOperator],
      operator: [
        {
          text: 'Open the address of the mirror: metadata/timestamp.json must be JSON, not a page.',
        },
        mirrorCheck,
      ],
    },
  },
  UNSUPPORTED: {
    rule: 'A format that this version of tufgate does not know is not guessed at.',
    clause: 'TUF 4.2, PEP 629',
    meaning: [
      'The mirror or index is newer than this tufgate.',
      'The mirror was made by another program, with settings that are not known here.',
    ],
    next: {
      user: [tellOperator],
      operator: [
        {
          text: 'Compare the versions here and at the mirror, and update the older one.',
          command: 'tufgate --version',
        },
      ],
    },
  },
  SIGNATURE_THRESHOLD: {
    rule: 'Each part of the list must carry as many valid signatures as its owner demands.',
    clause: 'TUF 5.3.4, 5.4.2, 5.5.3, 5.6.3',
    meaning: [
      'The root file given to this proxy is of another mirror.',
      'The mirror was set up anew, or a change of its keys was published by halves.',
      'Somebody offers a list that was not made with the keys of the mirror.',
    ],
    next: {
      user: [tellOperator],
      operator: [compareRoot, mirrorCheck, askMirrorOperator],
    },
  },
  VERSION_ROLLBACK: {
    rule: 'The list never goes back to an older version than this proxy has seen.',
    clause: 'TUF 5.4.3, 5.5.5',
    meaning: [
      'The mirror was put back from a backup, or an old copy of its folder is being served.',
      'One of several mirrors, or a cache in front of it, lags behind the others.',
      'Somebody replays an old list, so that files which were withdrawn since look good again.',
    ],
    next: {
      user: [tellOperator],
      operator: [
        {
          text: 'If the mirror came back from a backup, on its machine leap over the versions that are out already.',
          command: 'tufgate mirror skip-versions MIRROR',
        },
        mirrorCheck,
        showWarnings,
      ],
    },
  },
  VERSION_MISMATCH: {
    rule: 'Each part of the list must be in the version that the rest of the list names.',
    clause: 'TUF 5.3.5, 5.5.4, 5.6.4',
    meaning: [
      'The mirror was publishing at that moment, or its copy on the web server is not complete.',
      'A cache in front of the mirror keeps old files.',
      'Somebody mixes old and new parts of the list.',
    ],
    next: {
      user: [tryAgain, tellOperator],
      operator: [
        mirrorCheck,
        { text: 'Let caches keep timestamp.json and missing root files for a minute at most.' },
      ],
    },
  },
  ROLE_NOT_IN_SNAPSHOT: {
    rule: 'Each part of the list must stand in its table of contents (the snapshot).',
    clause: 'TUF 5.6.1',
    meaning: [
      'The mirror published a new part without a new table of contents: an interrupted copy, as a rule.',
      'Somebody offers parts that do not belong together.',
    ],
    next: {
      user: [tryAgain, tellOperator],
      operator: [
        mirrorCheck,
        {
          text: 'On the machine of the mirror, sign and publish it anew.',
          command: 'tufgate mirror renew MIRROR --all',
        },
      ],
    },
  },
  SEARCH_LIMIT: {
    rule: 'A name is looked for in a limited number of parts of the list.',
    clause: 'TUF 5.6.7',
    meaning: [
      'The mirror splits its list more widely than the settings of this proxy allow.',
      'Somebody made the list so wide that looking something up never ends.',
    ],
    next: {
      user: [tellOperator],
      operator: [
        {
          text: 'Raise `delegations` under [limits] in the settings if the mirror is known to be so wide.',
        },
      ],
    },
  },
  EXPIRED: {
    rule: 'A list is used until its signed date of expiry, and not a second longer.',
    clause: 'TUF 5.3.10, 5.4.4, 5.5.6, 5.6.5',
    meaning: [
      'The mirror has not renewed its list: it is off, cannot reach the index, or its timer does not run.',
      'This proxy cannot reach the mirror for a newer list.',
      'The clock of this machine is ahead.',
      'Somebody keeps newer lists away from this proxy, to hide that files were withdrawn.',
    ],
    next: {
      user: [tellOperator],
      operator: [
        clockStep,
        showWarnings,
        mirrorHealth,
        {
          text: 'On the machine of the mirror, renew what it can renew by itself.',
          command: 'tufgate mirror renew MIRROR',
        },
      ],
    },
  },
  INDEX_UNSEEN: {
    rule: 'A list whose mirror has not looked at the index for too long (max-unseen, 48 hours by default) is not used.',
    clause: 'setting max-unseen',
    meaning: [
      'The mirror cannot reach the index, or its regular look does not run.',
      'The index itself was down for long.',
      'Somebody keeps the index away from the mirror, so that withdrawn files stay on the list.',
    ],
    next: {
      user: [tellOperator],
      operator: [
        mirrorHealth,
        {
          text: 'On the machine of the mirror, look at the index again.',
          command: 'tufgate mirror sync MIRROR',
        },
      ],
    },
  },
  CLOCK_WRONG: {
    rule: 'The clock of this machine must not be behind times that were signed and checked already.',
    clause: 'TUF 5.1',
    meaning: [
      'The clock of this machine is wrong: a fresh virtual machine, an empty battery, no time service.',
      'The clock of the mirror is ahead.',
      'Somebody set the clock back, to make an expired list good again.',
    ],
    next: { user: [tellOperator], operator: [clockStep, runDoctor] },
  },
  RECORD_REFUSED: {
    rule: 'The signed record of a project must list each of its files clearly: its own name, one fingerprint, one address.',
    clause: 'PEP 503, PEP 691',
    meaning: [
      'The index lists something odd for this project, and the mirror signed it as it was.',
      'This proxy demands that each file is signed by itself, and the mirror does not do so.',
      'Somebody tries to pass a file off as one of another project or version.',
    ],
    next: {
      user: [tellOperator],
      operator: [
        {
          text: 'On the machine of the mirror, look at the project again and make its record anew.',
          command: 'tufgate mirror sync MIRROR --project PROJECT --full',
        },
        mirrorCheck,
      ],
    },
  },
  ROOT_CHANGED: {
    rule: 'The root file that this proxy was told to trust must be the same as before, or follow from it.',
    clause: 'TUF 5.3',
    meaning: [
      'Somebody replaced the root file on purpose, for another mirror or one that was made anew.',
      'The path now names another file.',
      'Somebody who can write the file tries to make this proxy trust other keys.',
    ],
    next: {
      user: [tellOperator],
      operator: [
        compareRoot,
        {
          text: 'Find out who changed the file. If it was on purpose, the start of the proxy prints the command that accepts it.',
        },
      ],
    },
  },
} satisfies Record<VerifyCode, CodeExplanation>
