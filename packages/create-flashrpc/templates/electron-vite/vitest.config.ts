import { defineConfig } from 'vitest/config'

// Each test starts a Chromium.
export default defineConfig({ test: { testTimeout: 30_000 } })
