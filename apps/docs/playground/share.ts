import type { Files } from './files.ts'

/** What the address of the page says: an example, and its files if they were changed. */
export interface Shared {
  /** The name of an example. */
  readonly example: string
  readonly files?: Files
}

/** The longest state that is read, in characters: a short address can expand to any length. */
const LONGEST = 200_000

/** Writes the hash of the address, such as `#example=streams`. Files are compressed. */
export async function toHash({ example, files }: Shared): Promise<string> {
  if (!files) return `#example=${encodeURIComponent(example)}`
  const state = JSON.stringify([
    example,
    files['contract.ts'],
    files['server.ts'],
    files['client.ts'],
  ])
  const compressed = new Blob([state]).stream().pipeThrough(new CompressionStream('deflate-raw'))
  const bytes = new Uint8Array(await new Response(compressed).arrayBuffer())
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return `#code=${btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`
}

/**
 * Reads the hash of an address.
 *
 * @returns undefined if it says nothing.
 * @throws {Error} if it can't be read, such as a link that was cut off.
 */
export async function fromHash(hash: string): Promise<Shared | undefined> {
  const [, key, value = ''] = /^#(example|code)=(.*)$/.exec(hash) ?? []
  if (key === undefined) return undefined
  if (key === 'example') return { example: decodeURIComponent(value) }
  const binary = atob(value.replaceAll('-', '+').replaceAll('_', '/'))
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0))
  const state: unknown = JSON.parse(await inflated(bytes))
  const isState =
    Array.isArray(state) && state.length === 4 && state.every((part) => typeof part === 'string')
  if (!isState) throw new Error('The address has no files')
  const [example, contract, server, client] = state as [string, string, string, string]
  return { example, files: { 'contract.ts': contract, 'server.ts': server, 'client.ts': client } }
}

async function inflated(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const stream = new Blob([bytes])
    .stream()
    .pipeThrough(new DecompressionStream('deflate-raw'))
    .pipeThrough(new TextDecoderStream())
  let text = ''
  for await (const part of stream) {
    text += part
    if (text.length > LONGEST) throw new Error(`The files have more than ${LONGEST} characters`)
  }
  return text
}
