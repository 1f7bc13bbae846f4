import { transform } from 'sucrase'
import type { FileName, Place } from './files.ts'

/** A file that is not TypeScript. Its message names the place. */
export class TranspileError extends Error {
  override readonly name = 'SyntaxError'
  readonly place: Place

  constructor(message: string, place: Place) {
    super(`${message} at ${place.file}:${place.line}`)
    this.place = place
  }
}

/**
 * Makes JavaScript of TypeScript, without checking types. Each line stays where it is, so that errors of the JavaScript name lines
 * of the TypeScript. Imports become calls of `require`.
 *
 * Sucrase does this in 47 kB with gzip, at once and without a worker. TypeScript's own `transpileModule` is 1,020 kB, and the
 * WebAssembly of esbuild is larger still.
 *
 * @throws {TranspileError} if the text can't be parsed.
 */
export function transpile(file: FileName, text: string): string {
  try {
    return transform(text, {
      transforms: ['typescript', 'imports'],
      disableESTransforms: true,
      preserveDynamicImport: true,
      filePath: file,
    }).code
  } catch (error) {
    const { message, loc } = error as Error & { loc?: { line: number } }
    const reason = message.replace(/^Error transforming \S+: /, '').replace(/ \(\d+:\d+\)$/, '')
    throw new TranspileError(reason, { file, line: loc?.line ?? 1 })
  }
}
