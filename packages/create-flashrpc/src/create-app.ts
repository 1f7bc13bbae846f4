import { cpSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageNameOf, requireEmpty } from './app-folder.js'
import { folderOf, type TemplateName } from './templates.js'

/**
 * Creates an app: copies a template's files, and writes the app's name into its `package.json`.
 *
 * @param folder a path; the folder is made if it does not exist.
 * @throws {UsageError} if the folder is not empty. Then nothing is written.
 */
export function createApp(template: TemplateName, folder: string): void {
  requireEmpty(folder)
  cpSync(folderOf(template), folder, { recursive: true })
  // npm leaves a .gitignore out of a package, so the template has it under another name.
  renameSync(join(folder, '_gitignore'), join(folder, '.gitignore'))
  const file = join(folder, 'package.json')
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as object
  const named = { ...manifest, name: packageNameOf(folder) }
  writeFileSync(file, `${JSON.stringify(named, null, 2)}\n`)
}
