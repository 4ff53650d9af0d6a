/**
 * A process of the kill test: publishes a change, and kills itself before the step of this number.
 * Arguments: the root folder, the change file, the number, the time.
 */

import { readFile } from 'node:fs/promises'
import { parseChange } from '../../src/ceremony/change-file.ts'
import { checkChange } from '../../src/ceremony/check-change.ts'
import { publishChange } from '../../src/ceremony/publish-change.ts'
import { MirrorFixture } from '../mirror/mirror-fixture.ts'
import { countSteps } from '../support/count-steps.ts'

const [root = '', change = '', last = '', now = ''] = process.argv.slice(2)
const mirror = new MirrorFixture(root)
mirror.now = Number(now)
const bytes = await readFile(change)
const countSoFar = countSteps(Number(last))
await publishChange({
  ...mirror.context,
  copies: [{ place: change, checked: checkChange(parseChange(bytes, change)) }],
})
process.stdout.write(String(countSoFar()))
