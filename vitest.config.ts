import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.ts'

/**
 * Everything happens in the process of the test, and no module of theirs is replaced: what their files
 * import is loaded once for many of them.
 */
const inOneProcess = [
  'base',
  'client',
  'explain',
  'installed',
  'installers',
  'owner',
  'policy',
  'proxy',
  'report',
  'simple',
  'tuf',
  'upstream',
].map((folder) => `test/${folder}/**/*.test.ts`)

export default defineConfig({
  test: {
    globalSetup: ['test/support/shared-folder.ts', 'test/support/built-program.ts'],
    // Some files mostly wait, one of them for a minute: another worker has the processor meanwhile.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: { name: 'apart', include: ['test/**/*.test.ts'], exclude: inOneProcess },
      },
      {
        extends: true,
        test: { name: 'together', include: inOneProcess, isolate: false },
      },
    ],
    setupFiles: ['test/support/loopback-only.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
