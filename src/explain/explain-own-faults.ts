/** What fails on our side: disk, log, state, settings. The package and the index are not to blame. */

import type { ConfigCode, StorageCode } from '../base/errors.ts'
import {
  runDoctor,
  tellOperator,
  tryAgain,
  type CodeExplanation,
  type Step,
} from './code-explanation.ts'

const freeSpace: Step = {
  text: 'Look how full the disk of the state folder is, and make room.',
  command: 'df -h STATE',
}

const permissions: Step = {
  text: 'See who owns the state folder: the user that runs tufgate must be able to write there.',
  command: 'ls -ld STATE',
}

const readNews: Step = { text: 'The standard error of the proxy names the file and the reason.' }

export const storageExplanations = {
  DISK_FULL: {
    rule: 'A file is handed out only after all of it is on disk and checked.',
    meaning: ['The disk of the proxy is full, or its user has reached a quota.'],
    next: {
      user: [tellOperator],
      operator: [freeSpace, { text: 'Or lower `max-size` under [vault] in the settings.' }],
    },
  },
  STORAGE_FAILED: {
    rule: 'What cannot be stored safely is not handed out.',
    meaning: [
      'Permissions, a disk that is mounted read-only, or a faulty disk.',
      'Something else deleted or changed files in the state folder.',
    ],
    next: { user: [tellOperator], operator: [readNews, permissions, freeSpace] },
  },
  AUDIT_FAILED: {
    rule: 'Nothing is handed out that the audit log cannot tell of.',
    meaning: [
      'The disk of the log is full, or may not be written.',
      'Somebody keeps the log from being written, to leave no trace.',
    ],
    next: {
      user: [tellOperator],
      operator: [
        readNews,
        permissions,
        freeSpace,
        { text: 'Then see whether the log is whole.', command: 'tufgate audit verify --log LOG' },
      ],
    },
  },
  STATE_BUSY: {
    rule: 'Only one process at a time may change the state.',
    meaning: [
      'Another tufgate with the same state folder is at work.',
      'The disk is so slow that a change takes very long.',
    ],
    next: { user: [tryAgain, tellOperator], operator: [readNews] },
  },
  SIGNER_FAILED: {
    rule: 'Without its key nothing new can be written down.',
    meaning: ['The command or device that holds a key did not answer, or refused.'],
    next: { user: [tryAgain, tellOperator], operator: [readNews] },
  },
} satisfies Record<StorageCode, CodeExplanation>

export const configExplanations = {
  CONFIG_INVALID: {
    rule: 'With settings that cannot be understood nothing is handed out.',
    meaning: ['The settings or a file that they name are wrong.'],
    next: { user: [tellOperator], operator: [readNews, runDoctor] },
  },
  KEY_INVALID: {
    rule: 'A key that is not sound is not used.',
    meaning: ['A key file is damaged, of another kind, or readable by others.'],
    next: { user: [tellOperator], operator: [readNews, permissions] },
  },
  STATE_NEWER: {
    rule: 'State that a newer tufgate has written is left alone.',
    meaning: ['An older tufgate was started on the state folder of a newer one.'],
    next: {
      user: [tellOperator],
      operator: [
        { text: 'Use the newer tufgate, or another state folder.', command: 'tufgate --version' },
      ],
    },
  },
  HELD: {
    rule: 'An unusual change waits until a person has looked at it. What was there before is served on.',
    meaning: [
      'The project changed in an unusual way that its maintainers meant: many files removed, or another file under an old name.',
      'Somebody took over the project or the index.',
    ],
    next: {
      user: [{ text: 'Ask for an earlier version.' }, tellOperator],
      operator: [
        { text: 'See what waits, and why.', command: 'tufgate mirror held MIRROR PROJECT' },
        {
          text: 'If it is right, accept exactly that.',
          command: 'tufgate mirror approve MIRROR PROJECT',
        },
      ],
    },
  },
} satisfies Record<ConfigCode, CodeExplanation>
