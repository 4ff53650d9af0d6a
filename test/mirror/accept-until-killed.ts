/**
 * A process of the kill test: accepts a release, and kills itself before the step of this number.
 * Arguments: the root folder, the release, the number, the time.
 */

import { readFile } from 'node:fs/promises'
import { openMirrorIndex } from '../../src/cli/mirror/mirror-index.ts'
import { acceptReleases } from '../../src/mirror/claim-work.ts'
import { countSteps } from '../support/count-steps.ts'
import { MirrorFixture } from './mirror-fixture.ts'

const [root = '', release = '', last = '', now = ''] = process.argv.slice(2)
const mirror = new MirrorFixture(root)
mirror.now = Number(now)
const releases = [await readFile(release)]
const countSoFar = countSteps(Number(last))
await acceptReleases({ ...mirror.context, openIndex: openMirrorIndex, releases })
process.stdout.write(String(countSoFar()))
