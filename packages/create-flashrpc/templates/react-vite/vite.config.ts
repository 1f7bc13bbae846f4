import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [react()],
  build: { outDir: 'dist/web' },
  server: {
    // The page and the server have one address, as in production.
    proxy: { '/ws': { target: `ws://127.0.0.1:${process.env.PORT ?? 8000}`, ws: true } },
  },
  test: { environment: 'happy-dom' },
})
