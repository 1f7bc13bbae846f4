import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  root: 'web',
  plugins: [react()],
  server: { host: '127.0.0.1' },
  // The worker imports what the page imports: as one file of its own, it is served from anywhere.
  worker: { format: 'es' },
})
