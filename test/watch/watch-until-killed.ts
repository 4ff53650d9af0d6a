/** A process of the kill test: watches a mirror whose index changes all the time. Argument: the root folder. */

import { openMirrorIndex } from '../../src/cli/mirror/mirror-index.ts'
import { checkPublication } from '../../src/watch/publication-check.ts'
import { watchMirror } from '../../src/watch/watch.ts'
import { MirrorFixture, signEverything } from '../mirror/mirror-fixture.ts'

const mirror = new MirrorFixture(process.argv[2] ?? '')
let round = 0

async function changeIndex(): Promise<void> {
  round += 1
  mirror.now = Date.now()
  const names = Array.from({ length: 6 }, (_, at) => `p${(round + at) % 9}`)
  for (const name of names) {
    await mirror.putPage(name, [`${name}-1.0.tar.gz`, `${name}-2.${round}.${process.pid}.tar.gz`])
  }
}

await changeIndex()
await watchMirror({
  ...mirror.context,
  clock: Date.now,
  check: checkPublication,
  openIndex: openMirrorIndex,
  readRound: () => ({ all: true, changePolicy: signEverything }),
  syncEveryMs: 1,
  signal: new AbortController().signal,
  sleep: changeIndex,
  log: (level, message) => {
    // The test kills it from its first publication on.
    if (level === 'error') process.stderr.write(`${message}\n`)
    else if (message.startsWith('synced')) process.stdout.write('.')
  },
  version: '0',
})
