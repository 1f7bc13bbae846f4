import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createClient, RpcError } from '@flashrpc/core'
import { msgpackCodec } from '@flashrpc/core/msgpack'
import { CHUNK_BYTES, contract } from './contract.js'
import { generateFile } from './generated.js'
import { watchMemory } from './memory.js'
import { ProgressBar } from './progress-bar.js'
import { formatSize, readSize } from './sizes.js'

const USAGE = `Usage: client [--url URL] upload FILE
       client [--url URL] upload --generate SIZE NAME
       client [--url URL] download NAME FILE`

/** What was written on the command line can't be meant. */
class UsageError extends Error {}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: 'string', default: 'ws://127.0.0.1:8000/files' },
    generate: { type: 'string' },
  },
})

const interrupted = new AbortController()
process.once('SIGINT', () => interrupted.abort(new Error('Interrupted')))
const { signal } = interrupted

/** A file of any size takes as long as it takes: a person sees how far it is, and can stop it. */
const OPTIONS = { signal, timeout: Number.POSITIVE_INFINITY }

async function main(): Promise<void> {
  const [command, ...names] = positionals
  await using client = createClient(contract, {
    url: values.url,
    codec: msgpackCodec,
    retry: { minDelayMs: 100, maxAttempts: 8 },
  })
  const memory = watchMemory()
  const [name = '', path = ''] = names
  if (command === 'upload' && names.length === 1) assertSame(await upload(name))
  else if (command === 'download' && names.length === 2) assertSame(await download(name, path))
  else throw new UsageError(USAGE)
  console.log(`memory grew by ${formatSize(memory.growth)} at the most`)

  async function upload(file: string): Promise<Transferred> {
    const source = values.generate === undefined ? await openFile(file) : generated(values.generate)
    const name = basename(file)
    using bar = new ProgressBar(`upload ${name}`, source.size)
    const hash = createHash('sha256')
    async function* input() {
      for await (const chunk of source.chunks) {
        hash.update(chunk)
        yield chunk
        // It is asked for the next one: this one has left.
        bar.add(chunk.byteLength)
      }
    }
    const { sha256 } = await client.other.upload(
      { name, size: source.size },
      { ...OPTIONS, input: input() },
    )
    return { name, ours: hash.digest('hex'), theirs: sha256 }
  }

  async function download(name: string, path: string): Promise<Transferred> {
    const { size, sha256 } = await client.other.describe({ name }, { signal })
    await using file = await open(fromHere(path), 'w')
    using bar = new ProgressBar(`download ${name}`, size)
    const hash = createHash('sha256')
    for await (const chunk of client.other.download({ name }, OPTIONS)) {
      hash.update(chunk)
      await file.writeFile(chunk)
      bar.add(chunk.byteLength)
    }
    return { name, ours: hash.digest('hex'), theirs: sha256 }
  }
}

/** A file that went over, with its SHA-256 on either side. */
interface Transferred {
  readonly name: string
  readonly ours: string
  readonly theirs: string
}

interface FileSource {
  readonly size: number
  readonly chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

async function openFile(path: string): Promise<FileSource> {
  const { size } = await stat(fromHere(path))
  return { size, chunks: createReadStream(fromHere(path), { highWaterMark: CHUNK_BYTES }) }
}

function generated(text: string): FileSource {
  const size = readSize(text)
  return { size, chunks: generateFile(size) }
}

/** Package managers run scripts elsewhere, and tell where the person stands. */
function fromHere(path: string): string {
  return resolve(process.env.INIT_CWD ?? process.cwd(), path)
}

/** Says what came over, as `sha256sum` does. */
function assertSame({ name, ours, theirs }: Transferred): void {
  if (ours !== theirs) throw new Error(`${name} is not the same on both sides: ${ours}, ${theirs}`)
  console.log(`${ours}  ${name}`)
}

try {
  await main()
} catch (error) {
  const isSystems = error instanceof Error && 'syscall' in error
  if (!(error instanceof RpcError || error instanceof UsageError || isSystems)) throw error
  console.error(error.message)
  // 130: ended by Ctrl-C, as shells have it.
  process.exitCode = signal.aborted ? 130 : 1
}
