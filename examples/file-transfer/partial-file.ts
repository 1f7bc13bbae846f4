import { type FileHandle, open, rename, rm } from 'node:fs/promises'

/** A file that has its name once it is whole, and is removed if it never is. */
export class PartialFile implements AsyncDisposable {
  readonly #path: string
  readonly #file: FileHandle
  #isWhole = false

  constructor(path: string, file: FileHandle) {
    this.#path = path
    this.#file = file
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#file.writeFile(chunk)
  }

  /** It is whole. */
  complete(): void {
    this.#isWhole = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close()
    if (this.#isWhole) await rename(partOf(this.#path), this.#path)
    else await rm(partOf(this.#path), { force: true })
  }
}

/** Begins a file; one of its name that is there stays as it is until then. */
export async function openPartialFile(path: string): Promise<PartialFile> {
  return new PartialFile(path, await open(partOf(path), 'w'))
}

function partOf(path: string): string {
  return `${path}.part`
}
