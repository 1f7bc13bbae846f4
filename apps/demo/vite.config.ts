import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** The page, built from `src/web` into `dist/web`, where the server finds it. */
export default defineConfig({
  root: 'src/web',
  base: './',
  plugins: [react()],
  build: { outDir: '../../dist/web', emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0 },
})
