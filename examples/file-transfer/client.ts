import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createClient, RpcError } from '@flashrpc/core'
import { msgpackCodec } from '@flashrpc/core/msgpack'
import { CHUNK_BYTES, contract } from './contract.js'
import { generateFile } from './generated.js'
import { watchMemory } from './memory.js'
import { openPartialFile } from './partial-file.js'
import { ProgressBar } from './progress-bar.js'
import { formatSize, readSize } from './sizes.js'

const USAGE = `Usage: client [--url URL] upload FILE
       client [--url URL] upload --generate SIZE NAME
       client [--url URL] download NAME [FILE]`

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

async function main(): Promise<void> {
  const [command, ...names] = positionals
  await using client = createClient(contract, {
    url: values.url,
    codec: msgpackCodec,
    retry: { minDelayMs: 100, maxAttempts: 8 },
  })
  const memory = watchMemory()
  const [name = '', path] = names
  if (command === 'upload' && names.length === 1) await upload(name)
  else if (command === 'download' && names.length >= 1 && names.length <= 2) {
    await download(name, path)
  } else throw new UsageError(USAGE)
  console.log(`memory grew by ${formatSize(memory.growth)} at the most`)

  async function upload(file: string): Promise<void> {
    const source = values.generate === undefined ? await openFile(file) : generated(values.generate)
    const name = basename(file)
    const hash = createHash('sha256')
    using bar = new ProgressBar(`upload ${name}`, source.size)
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
      { signal, input: input() },
    )
    bar.end()
    assertSame(name, hash.digest('hex'), sha256)
  }

  /** @param path where it is to be; it is only looked at where there is none. */
  async function download(name: string, path: string | undefined): Promise<void> {
    const { size, sha256 } = await client.other.describe({ name }, { signal })
    const hash = createHash('sha256')
    await using file = path === undefined ? null : await openPartialFile(fromHere(path))
    using bar = new ProgressBar(`download ${name}`, size)
    for await (const chunk of client.other.download({ name }, { signal })) {
      hash.update(chunk)
      await file?.write(chunk)
      bar.add(chunk.byteLength)
    }
    bar.end()
    assertSame(name, hash.digest('hex'), sha256)
    file?.complete()
  }
}

interface FileSource {
  readonly size: number
  readonly chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

async function openFile(path: string): Promise<FileSource> {
  const { size } = await stat(fromHere(path))
  return { size, chunks: readChunks(fromHere(path)) }
}

/** Opens the file when its first chunk is asked for. */
async function* readChunks(path: string): AsyncGenerator<Uint8Array> {
  yield* createReadStream(path, { highWaterMark: CHUNK_BYTES })
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
function assertSame(name: string, ours: string, theirs: string): void {
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
