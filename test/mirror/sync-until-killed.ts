/** A process of the kill test: changes the index and synchronises, over and over. Argument: the root folder. */

import { MirrorFixture, signEverything } from './mirror-fixture.ts'

const projects = Array.from({ length: 12 }, (_, at) => `p${at}`)
const mirror = new MirrorFixture(process.argv[2] ?? '')

for (let round = 0; ; round += 1) {
  mirror.now = Date.now()
  const files = Array.from({ length: (round % 7) + 1 }, (_, at) => `-1.${at}.${process.pid}.tar.gz`)
  for (const project of projects.slice(0, 1 + (round % projects.length))) {
    await mirror.putPage(
      project,
      files.map((name) => project + name),
    )
  }
  await mirror.sync({
    projects: projects.slice(0, 1 + (round % projects.length)),
    changePolicy: signEverything,
  })
  process.stdout.write('.')
}
