import { join } from 'node:path'
import type { CoveredScript } from './coverage.ts'
import { type ClientOptions, type ServerOptions, Side } from './side.ts'
import { type SourceFunction, sourceFunctions } from './source-functions.ts'

/** The way of one thing through the library, on either side. */
export interface Walk {
  readonly name: ClientOptions['walk']
  readonly title: string
  readonly client: readonly SourceFunction[]
  readonly server: readonly SourceFunction[]
}

export const SIDES = ['client', 'server'] as const

export const TITLES: Readonly<Record<Walk['name'], string>> = {
  call: 'One call',
  item: 'One item of a stream',
  resume: 'A cut and a resume',
}

/**
 * Walks the built core of a workspace, in two new processes. Only `resume` has a session.
 *
 * @param folder of the workspace.
 * @throws {Error} if it is not built, or without source maps.
 */
export async function takeWalk(name: Walk['name'], folder: string): Promise<Walk> {
  const core = join(folder, 'packages', 'core')
  const options = { folder, covered: join(core, 'dist') }
  const serverOptions: ServerOptions = { ...options, hasSessions: name === 'resume' }
  await using server = new Side('side/server.ts', serverOptions)
  const url = await server.ask<string>('listen')
  const clientOptions: ClientOptions = { ...options, url, walk: name }
  await using client = new Side('side/client.ts', clientOptions)
  await client.ask('prepare')
  await server.ask('start')
  await client.ask('begin')
  if (name === 'item') await server.ask('tick')
  const ofClient = await client.ask<CoveredScript[]>('end')
  const ofServer = await server.ask<CoveredScript[]>('stop')
  const source = join(core, 'src')
  return {
    name,
    title: TITLES[name],
    client: sourceFunctions(ofClient, source),
    server: sourceFunctions(ofServer, source),
  }
}
