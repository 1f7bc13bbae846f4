import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { createPackage, extractAll, listPackage } from '@electron/asar'

/** A desktop app from what a packager puts into its archive, and from nothing else. */
export interface PackedApp extends Disposable {
  /** The archive's content, in a folder that has no `node_modules` above it. */
  readonly folder: string
  /** The files of the archive, such as `dist/main.js`. */
  readonly files: readonly string[]
}

/**
 * Packs an app as `app.asar`, and extracts the archive: only Electron's program can run what is inside of one.
 *
 * @param app the app's folder.
 * @param names the files and folders of it that are packed.
 * @param leftOut which of the files in these folders are not packed, by their paths in the app, with `/` between the parts.
 */
export async function packApp(
  app: string,
  names: readonly string[],
  leftOut?: RegExp,
): Promise<PackedApp> {
  const temporary = mkdtempSync(join(tmpdir(), 'flashrpc-packed-app-'))
  const [source, archive, folder] = ['source', 'app.asar', 'content'].map((name) =>
    join(temporary, name),
  ) as [string, string, string]
  const filter = (path: string) => !leftOut?.test(relative(app, path).replaceAll('\\', '/'))
  for (const name of names) {
    cpSync(join(app, name), join(source, name), { recursive: true, filter })
  }
  await createPackage(source, archive)
  rmSync(source, { recursive: true })
  extractAll(archive, folder)
  return {
    folder,
    files: listPackage(archive, { isPack: false }).map((path) =>
      path.replaceAll('\\', '/').slice(1),
    ),
    [Symbol.dispose]: () => rmSync(temporary, { recursive: true }),
  }
}
