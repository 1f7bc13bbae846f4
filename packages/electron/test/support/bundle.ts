import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** A script of the test's, bundled from the packages' source for a page, or for Node. */
export async function bundle(
  name: string,
  platform: 'browser' | 'node' = 'browser',
): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(name, import.meta.url))],
    bundle: true,
    format: 'esm',
    jsx: 'automatic',
    platform,
    conditions: ['@flashrpc/source', platform],
    define: { 'process.env.NODE_ENV': '"production"' },
    write: false,
    logLevel: 'silent',
  })
  return outputFiles[0]?.text ?? ''
}
