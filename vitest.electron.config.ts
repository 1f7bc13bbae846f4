import { defineConfig } from 'vitest/config'

/** The tests that need a real Electron: `scripts/test-electron.ts` says when they run. */
export default defineConfig({
  test: {
    name: 'real Electron',
    include: ['apps/*/test/**/*.electron.ts'],
    testTimeout: 90_000,
    hookTimeout: 300_000,
    // Each test starts the app, which is in the way of another that starts.
    fileParallelism: false,
  },
})
