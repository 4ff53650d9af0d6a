/** A1: other bytes than those that were signed, by the file host alone or together with the index. */

import { renderJsonPage } from '../../../test/e2e/trial.ts'
import { flipByte, serve } from '../../../test/support/hostile-server.ts'
import type { Attack } from '../attack.ts'
import { buildEvil } from '../genuine.ts'
import { stageIndexAttack } from '../index-attack.ts'
import { mustRefuse } from '../judge.ts'

const otherDigest = mustRefuse({
  code: 'DIGEST_MISMATCH',
  line: /Refused by tufgate: sha256 of \S+ is not the signed one/,
})

export const arbitrary: readonly Attack[] = [
  stageIndexAttack({
    row: 'A1a',
    name: 'the file host changes one byte',
    project: 'foo-a1a-flip',
    isCore: true,
    turn: ({ trial: { index } }, _, files) => {
      const newest = files.at(-1)
      if (newest !== undefined) index.on(`/files/${newest.filename}`, flipByte(newest.bytes))
    },
    judge: otherDigest,
  }),
  stageIndexAttack({
    row: 'A1b',
    name: 'index and file host agree on an evil wheel',
    project: 'foo-a1b',
    isCore: true,
    turn: ({ trial }, project, files) => {
      const evil = buildEvil(project, '1.1')
      trial.index.on(`/files/${evil.filename}`, serve(evil.bytes))
      trial.servePage(project, renderJsonPage(project, [...files.slice(0, -1), evil]))
    },
    judge: otherDigest,
  }),
]
