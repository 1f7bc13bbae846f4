import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The package `ws` in which one of its private members has another name, as in a later version of it. */
export interface RenamedWs extends AsyncDisposable {
  /** Its module. */
  readonly url: string
  /** How often the name stood there. */
  readonly replaced: number
}

export async function renamedWs(member: string): Promise<RenamedWs> {
  const folder = await mkdtemp(join(tmpdir(), 'flashrpc-ws-'))
  const source = dirname(createRequire(import.meta.url).resolve('ws/package.json'))
  await cp(source, folder, { recursive: true, filter: (path) => !path.includes('/test') })
  let replaced = 0
  for (const name of await readdir(join(folder, 'lib'))) {
    const path = join(folder, 'lib', name)
    const text = await readFile(path, 'utf8')
    const renamed = text.replace(new RegExp(`\\b${member}\\b`, 'g'), () => {
      replaced++
      return `${member}OfAnotherName`
    })
    await writeFile(path, renamed)
  }
  return {
    url: pathToFileURL(join(folder, 'wrapper.mjs')).href,
    replaced,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
}
