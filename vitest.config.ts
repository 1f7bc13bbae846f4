import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { chromium } from './scripts/chromium.ts'

/** The packages are tested from their source: no build stands between a change and its test. */
const source = '@flashrpc/source'
const inNode = { conditions: [source, 'node', 'module', 'import', 'default'] }
const inBrowser = { conditions: [source, 'browser', 'module', 'import', 'default'] }

export default defineConfig({
  resolve: inNode,
  environments: { ssr: { resolve: inNode }, __vitest__: { resolve: inNode } },
  test: {
    projects: [
      {
        resolve: inNode,
        environments: { ssr: { resolve: inNode }, __vitest__: { resolve: inNode } },
        test: {
          name: 'node',
          include: ['packages/*/test/**/*.test.{ts,tsx}', 'scripts/**/*.test.ts'],
          exclude: ['**/*.browser.test.{ts,tsx}', '**/node_modules/**'],
        },
      },
      {
        resolve: inBrowser,
        environments: { ssr: { resolve: inNode }, __vitest__: { resolve: inNode } },
        optimizeDeps: {
          include: [
            'react',
            'react-dom',
            'react-dom/client',
            'react/jsx-dev-runtime',
            'react/jsx-runtime',
            '@testing-library/react',
            'zustand',
            'zustand/vanilla',
            'zod',
            'reconnecting-websocket',
          ],
        },
        test: {
          name: 'browser',
          include: ['packages/*/test/**/*.browser.test.{ts,tsx}'],
          globalSetup: ['scripts/test-server/setup.ts'],
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
          include: ['apps/*/test/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})
