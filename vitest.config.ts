import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/shared-folder.ts'],
    setupFiles: ['test/support/loopback-only.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Some files mostly wait: with one worker on two cores the whole takes twice as long.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
})
