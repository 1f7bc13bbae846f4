import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const from = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Electron 45's. */
const ELECTRON = { node: 'node24', chromium: 'chrome150' }

/**
 * `vite build` makes the pages: what a browser shows, and what the app's windows do. `vite build --app`
 * makes the app's main process and preload as well, each one file that brings all it needs but Electron:
 * packaged, the app has no node_modules.
 */
export default defineConfig({
  root: 'src/web',
  base: './',
  plugins: [react()],
  environments: {
    client: {
      build: {
        outDir: from('dist/web'),
        emptyOutDir: true,
        target: 'es2022',
        assetsInlineLimit: 0,
        rolldownOptions: {
          input: ['index', 'control', 'desktop'].map((page) => from(`src/web/${page}.html`)),
        },
      },
    },
    main: {
      consumer: 'server',
      resolve: { noExternal: true, external: ['electron'] },
      build: {
        outDir: from('dist/desktop'),
        emptyOutDir: false,
        copyPublicDir: false,
        target: ELECTRON.node,
        minify: false,
        rolldownOptions: {
          input: from('src/desktop/main.ts'),
          output: { format: 'es', entryFileNames: 'main.js', codeSplitting: false },
        },
      },
    },
    preload: {
      consumer: 'client',
      build: {
        outDir: from('dist/desktop'),
        emptyOutDir: false,
        copyPublicDir: false,
        target: ELECTRON.chromium,
        minify: false,
        modulePreload: false,
        rolldownOptions: {
          input: from('src/desktop/preload.ts'),
          external: ['electron'],
          // A sandboxed preload is one CommonJS file.
          output: { format: 'cjs', entryFileNames: 'preload.cjs', codeSplitting: false },
        },
      },
    },
  },
})
