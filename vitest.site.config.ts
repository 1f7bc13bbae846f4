import { defineConfig } from 'vitest/config'

/** The tests of the documentation's site in Chromium, which need the built site: `pnpm run test:site`. */
export default defineConfig({
  test: {
    name: 'site',
    include: ['apps/docs/test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
