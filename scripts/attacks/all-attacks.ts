import type { Attack } from './attack.ts'
import { stolenKeys } from './keys/stolen-keys.ts'
import { stolenOtherwise } from './keys/stolen-otherwise.ts'
import { wholeMatrix } from './keys/whole-matrix.ts'
import { allFailures } from './failures/all-failures.ts'
import { arbitrary } from './rows/a01-arbitrary.ts'
import { fileHostTricks } from './rows/a01-file-host-tricks.ts'
import { rollback } from './rows/a02-rollback.ts'
import { freezes } from './rows/a03-freeze.ts'
import { mixes } from './rows/a04-mix-and-match.ts'
import { withdrawn } from './rows/a04-withdrawn.ts'
import { endlessData } from './rows/a05-endless.ts'
import { endlessLists } from './rows/a05-metadata.ts'
import { slowLists } from './rows/a06-metadata.ts'
import { slowRetrieval } from './rows/a06-slow.ts'
import { dependencies } from './rows/a07-dependencies.ts'
import { added } from './rows/a08-added.ts'
import { wrongSoftware } from './rows/a08-wrong-software.ts'
import { badCompany } from './rows/a09-bad-mirrors.ts'
import { fastForward } from './rows/a10-fast-forward.ts'
import { revocation } from './rows/a11-revocation.ts'
import { withheld } from './rows/a12-withheld.ts'
import { bypass } from './rows/a13-bypass.ts'
import { settingsPastIt } from './rows/a13-ways-out.ts'
import { confusion } from './rows/a13-confusion.ts'
import { twoTruths } from './rows/a14-two-truths.ts'
import { smallSdist } from './rows/a16-small-sdist.ts'
import { splice } from './rows/a17-splice.ts'
import { internalHost } from './rows/a18-internal-host.ts'
import { redirectedMirror } from './rows/a18-redirected-mirror.ts'
import { prefix } from './rows/a19-prefix.ts'
import { frozenIndex } from './rows/a20-frozen-index.ts'
import { removed } from './rows/a21-removed.ts'
import { stolenBinsKey } from './rows/a22-bins-key.ts'
import { changedFile } from './rows/a23-changed-file.ts'
import { onTheWire } from './wire/wire-attacks.ts'

const listed: readonly Attack[] = [
  ...arbitrary,
  ...fileHostTricks,
  ...rollback,
  ...freezes,
  ...mixes,
  ...withdrawn,
  ...endlessData,
  ...slowRetrieval,
  ...endlessLists,
  ...slowLists,
  ...dependencies,
  ...wrongSoftware,
  ...added,
  ...badCompany,
  ...fastForward,
  ...revocation,
  ...withheld,
  ...bypass,
  ...settingsPastIt,
  ...confusion,
  ...twoTruths,
  ...smallSdist,
  ...splice,
  ...internalHost,
  ...redirectedMirror,
  ...prefix,
  ...frozenIndex,
  ...removed,
  ...stolenBinsKey,
  ...changedFile,
  ...wholeMatrix,
  ...stolenKeys,
  ...stolenOtherwise,
  ...allFailures,
  ...onTheWire,
]

/** In the order of the table: those of one row stand together. */
export const allAttacks: readonly Attack[] = [
  ...Map.groupBy(listed, ({ row }) => row).values(),
].flat()
