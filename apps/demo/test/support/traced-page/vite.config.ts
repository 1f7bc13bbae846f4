import { defaultClientConditions, defineConfig } from 'vite'

/** As Vite is without a configuration, but for the packages, which are taken from their sources. */
export default defineConfig({
  resolve: { conditions: ['@flashrpc/source', ...defaultClientConditions] },
  server: { host: '127.0.0.1' },
})
