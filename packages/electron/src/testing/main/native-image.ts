import { readFileSync } from 'node:fs'
import { throwOnUnplayed, unplayedMembers } from './unplayed.js'

/** Electron's NativeImage: the bytes that it was made of, which nobody looks at. */
export class PlayedNativeImage {
  readonly #bytes: Buffer
  #isTemplate = false

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  isEmpty(): boolean {
    return this.#bytes.length === 0
  }

  getSize() {
    return this.isEmpty() ? { width: 0, height: 0 } : { width: 16, height: 16 }
  }

  getAspectRatio(): number {
    return 1
  }

  getScaleFactors(): number[] {
    return [1]
  }

  toPNG(): Buffer {
    return this.#bytes
  }

  toDataURL(): string {
    return `data:image/png;base64,${this.#bytes.toString('base64')}`
  }

  resize(): PlayedNativeImage {
    return this
  }

  crop(): PlayedNativeImage {
    return this
  }

  addRepresentation(): void {}

  setTemplateImage(on: boolean): void {
    this.#isTemplate = on
  }

  isTemplateImage(): boolean {
    return this.#isTemplate
  }
}

throwOnUnplayed(PlayedNativeImage, 'NativeImage')

/** Electron's `nativeImage`. A file that is not there is an empty image, as in Electron. */
export function createNativeImage(): object {
  const make = (bytes: Uint8Array) => new PlayedNativeImage(Buffer.from(bytes))
  return unplayedMembers('nativeImage', {
    createEmpty: () => make(new Uint8Array()),
    createFromBuffer: make,
    createFromBitmap: make,
    createFromDataURL: (url: string) => make(Buffer.from(url.replace(/^[^,]*,/, ''), 'base64')),
    createFromPath: (path: string) => {
      try {
        return make(readFileSync(path))
      } catch {
        return make(new Uint8Array())
      }
    },
  })
}
