import { join } from 'node:path'
import type { NextConfig } from 'next'

const config: NextConfig = {
  distDir: process.env.NEXT_DIST_DIR ?? '.next',
  // Where server.ts listens. While you develop, Next lets only pages of `localhost` in.
  allowedDevOrigins: ['127.0.0.1'],
  // Only because this example is part of a workspace.
  turbopack: { root: join(import.meta.dirname, '..', '..') },
  // `pnpm run types` checks them.
  typescript: { ignoreBuildErrors: true },
}

export default config
