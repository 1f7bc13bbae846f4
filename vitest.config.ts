import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { chromium } from './scripts/chromium.ts'
import { guideBlocks } from './scripts/guide-blocks.ts'
import { reactCompiler } from './scripts/react-compiler.ts'

/** The packages are tested from their source: no build stands between a change and its test. */
const source = '@flashrpc/source'
/** Vitest sets the condition `development`, in which calls take longer than where they run for users. */
const alias = {
  '#trace-default': fileURLToPath(
    new URL('packages/core/src/features/diagnostics/trace-default.ts', import.meta.url),
  ),
}
const inNode = { conditions: [source, 'node', 'import', 'default'], alias }
const inBrowser = { conditions: [source, 'browser', 'module', 'import', 'default'], alias }
/** Files of the project `node` to leave out, with spaces between them: `--exclude` does not reach projects. */
const excluded = process.env.FLASHRPC_EXCLUDE?.split(' ') ?? []

/** How long `expect.poll` waits: its default, 1 s, is shorter than what a machine that is busy with other things may take. */
const patience = { poll: { timeout: 10_000 } }

export default defineConfig({
  resolve: inNode,
  environments: { ssr: { resolve: inNode }, __vitest__: { resolve: inNode } },
  test: {
    // Many tests provoke what is printed outside production; it is shown of those that fail.
    silent: 'passed-only',
    // Most tests wait most of the time: with Vitest's default, one file at a time would run on two cores.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        plugins: [guideBlocks()],
        resolve: inNode,
        environments: { ssr: { resolve: inNode }, __vitest__: { resolve: inNode } },
        test: {
          name: 'node',
          expect: patience,
          include: ['packages/*/test/**/*.test.{ts,tsx}', 'scripts/**/*.test.ts'],
          exclude: [
            '**/*.browser.test.{ts,tsx}',
            'packages/{cli,create-flashrpc,electron}/**',
            '**/node_modules/**',
            ...excluded,
          ],
          // Some start processes or bundlers, or move many MiB, on machines that are busy with other things.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        resolve: inNode,
        environments: { ssr: { resolve: inNode }, __vitest__: { resolve: inNode } },
        test: {
          // In Node, each with a Chromium of its own for the windows.
          name: 'electron',
          expect: patience,
          include: ['packages/electron/test/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        resolve: inNode,
        environments: { ssr: { resolve: inNode }, __vitest__: { resolve: inNode } },
        test: {
          // What is published, in processes of its own: it is built first.
          name: 'cli',
          include: ['packages/{cli,create-flashrpc}/test/**/*.test.ts'],
          globalSetup: ['packages/cli/test/support/build.ts'],
          testTimeout: 60_000,
        },
      },
      {
        plugins: [reactCompiler(), guideBlocks()],
        resolve: inBrowser,
        environments: { ssr: { resolve: inNode }, __vitest__: { resolve: inNode } },
        optimizeDeps: {
          // Named ahead: one found while tests run would reload the page under them.
          include: [
            'zod',
            '@flashrpc/core > reconnecting-websocket',
            '@flashrpc/core > partysocket',
            '@flashrpc/core > partysocket/ws',
            '@flashrpc/core > @msgpack/msgpack',
            '@flashrpc/core > @opentelemetry/api',
            '@flashrpc/core > @opentelemetry/core',
            '@flashrpc/core > @opentelemetry/sdk-trace-base',
            '@flashrpc/react > react',
            '@flashrpc/react > react-dom',
            '@flashrpc/react > react-dom/client',
            '@flashrpc/react > react-refresh/runtime',
            '@flashrpc/react > react/compiler-runtime',
            '@flashrpc/react > react/jsx-dev-runtime',
            '@flashrpc/react > react/jsx-runtime',
            '@flashrpc/react > @tanstack/react-query',
            '@flashrpc/react > @testing-library/dom',
            '@flashrpc/react > @testing-library/react',
            '@flashrpc/react > axe-core',
            '@flashrpc/react > zustand',
            '@flashrpc/react > zustand/shallow',
            '@flashrpc/react > zustand/vanilla',
          ],
        },
        test: {
          name: 'browser',
          expect: patience,
          testTimeout: 30_000,
          hookTimeout: 30_000,
          include: ['packages/*/test/**/*.browser.test.{ts,tsx}'],
          globalSetup: ['scripts/test-server/setup.ts'],
          setupFiles: ['packages/react/test/support/patience.ts'],
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: await chromium() }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
      {
        test: {
          name: 'e2e',
          expect: patience,
          include: ['{apps,examples}/*/test/**/*.test.ts'],
          // The site's tests need the built site: see vitest.site.config.ts.
          exclude: ['apps/docs/**'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})
