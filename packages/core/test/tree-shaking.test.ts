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

/** Texts of the parts that only some programs need. */
const PARTS = {
  'nearest names': 'Add it there, or correct the name',
  'kinds of values that JSON does not carry': 'JSON carries no',
  'the console': 'messages were not printed',
  'why an item could not be sent': 'An item of',
} as const

test.each(['createClient', 'createChannel'])(
  '%s of the lite entry has no part of a feature',
  async (name) => {
    const text = await bundle(`import { ${name} } from './lite.js'; console.log(${name})`)
    const found = Object.entries(PARTS).filter(([, part]) => text.includes(part))
    expect(found).toEqual([])
  },
)

test.each(['createClient', 'createChannel'])(
  '%s of the main entry has all of them',
  async (name) => {
    const text = await bundle(`import { ${name} } from './index.js'; console.log(${name})`)
    const missing = Object.entries(PARTS).filter(([, part]) => !text.includes(part))
    expect(missing).toEqual([])
  },
)
