import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

/** What a page's bundler makes of a program that imports from the sources of the package. */
async function bundle(program: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: fileURLToPath(new URL('../src', import.meta.url)) },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['@flashrpc/source', 'browser'],
    write: false,
    logLevel: 'silent',
  })
  return outputFiles[0]?.text ?? ''
}

/** The error classes in a bundle, by the names that they write out. */
async function errorsIn(program: string): Promise<string[]> {
  const text = await bundle(program)
  return [...text.matchAll(/return "(Rpc\w+)"/g)].map(([, name = '']) => name).sort()
}

test('errors that nobody uses are not bundled', async () => {
  const timeout = "import { RpcTimeoutError } from './index.js'; console.log(RpcTimeoutError)"
  expect(await errorsIn(timeout)).toEqual(['RpcError', 'RpcTimeoutError'])
  const codes = "import { ErrorCode } from './index.js'; console.log(ErrorCode.parse)"
  expect(await errorsIn(codes)).toEqual([])
})

test('MessagePack is bundled with what looks for what it needs, ahead of it', async () => {
  const text = await bundle(
    "import { msgpackCodec } from './msgpack.js'; console.log(msgpackCodec)",
  )
  const looks = text.indexOf('missingGlobal("TextEncoder.encodeInto")')
  expect(looks).toBeGreaterThan(0)
  expect(text.indexOf('sharedTextEncoder = new TextEncoder')).toBeGreaterThan(looks)
})
