import { CHUNK_BYTES } from '../../contract.js'

/**
 * A file's content, read as it is taken: of any size, in little memory.
 *
 * @param taken told how many bytes were taken, after each chunk.
 */
export async function* readFile(
  file: Blob,
  taken: (bytes: number) => void,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < file.size; at += CHUNK_BYTES) {
    const chunk = await file.slice(at, at + CHUNK_BYTES).arrayBuffer()
    yield new Uint8Array(chunk)
    taken(at + chunk.byteLength)
  }
}
