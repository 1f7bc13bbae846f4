import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

async function built(program: string) {
  return build({
    stdin: { contents: program, resolveDir: fileURLToPath(new URL('../src', import.meta.url)) },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['@flashrpc/source', 'browser'],
    write: false,
    metafile: true,
    logLevel: 'silent',
  })
}

/** What a page's bundler makes of a program that imports from the sources of the package. */
async function bundle(program: string): Promise<string> {
  const { outputFiles } = await built(program)
  return outputFiles[0]?.text ?? ''
}

/** The source files that a bundle has code of. */
async function filesIn(program: string): Promise<string[]> {
  const { metafile } = await built(program)
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs))
  return inputs.flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : []))
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

test.each(['createClient', 'createChannel'])('a lite %s has no code about bytes', async (name) => {
  const lite = `import { ${name} } from './lite.js'; console.log(${name})`
  const withBytes = `${lite}; import { bytes } from './features.js'; console.log(bytes)`
  const areBytes = (file: string) => /features\/bytes\/|lent-memory/.test(file)
  expect((await filesIn(withBytes)).filter(areBytes)).toHaveLength(7)
  expect((await filesIn(lite)).filter(areBytes)).toEqual([])
})

test.each(['createClient', 'createChannel'])(
  'a lite %s has nothing that only helps to find mistakes',
  async (name) => {
    const lite = `import { ${name} } from './lite.js'; console.log(${name})`
    const withThem = `${lite}; import { diagnostics } from './features.js'; console.log(diagnostics)`
    const help = (file: string) =>
      /features\/diagnostics\/|errors\/nearest|console-logger|logging\/production/.test(file)
    expect((await filesIn(withThem)).filter(help)).toHaveLength(9)
    expect((await filesIn(lite)).filter(help)).toEqual([])
  },
)

test('a page has no half of a feature that only servers run', async () => {
  const program = "import { createClient } from './index.js'; console.log(createClient)"
  const ofServers = (file: string) =>
    /\/(keys\/answering|drain\/drain|sessions\/sessions|http-failure|rate-limit|server-handshake)\.ts$/.test(
      file,
    )
  expect((await filesIn(program)).filter(ofServers)).toEqual([])
  expect(await errorsIn(program)).not.toContain('RpcProxyError')
})

test.each(['createClient', 'createChannel'])(
  'a lite %s has nothing that asks for signs of life',
  async (name) => {
    const lite = `import { ${name} } from './lite.js'; console.log(${name})`
    const withIt = `${lite}; import { keepalive } from './features.js'; console.log(keepalive)`
    const asks = (file: string) =>
      /features\/keepalive\/|link\/(keepalive|heartbeat|rate-limit)|shared-timers/.test(file)
    expect((await filesIn(withIt)).filter(asks)).toHaveLength(6)
    expect((await filesIn(lite)).filter(asks)).toEqual([])
  },
)

test.each(['createClient', 'createChannel'])('a lite %s has no middleware', async (name) => {
  const lite = `import { ${name} } from './lite.js'; console.log(${name})`
  const withIt = `${lite}; import { middleware } from './features.js'; console.log(middleware)`
  const surrounds = (file: string) => /features\/middleware\//.test(file)
  expect((await filesIn(withIt)).filter(surrounds)).toHaveLength(6)
  expect((await filesIn(lite)).filter(surrounds)).toEqual([])
})
