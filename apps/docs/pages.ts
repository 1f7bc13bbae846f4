import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the pages: the site shows what GitHub shows. */
export const docs = fileURLToPath(new URL('../../docs', import.meta.url))

/** A page of the site. */
export interface DocsPage {
  /** Its file in {@link docs}, such as `guide/streams.md`. */
  readonly file: string
  /** Its heading. */
  readonly title: string
}

/** The pages in the order in which the site lists them, by their files without `.md`. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  Start: ['why', 'quick-start', 'quick-start-react', 'electron', 'playground', 'templates'],
  Tutorial: [
    'tutorial',
    'tutorial-1',
    'tutorial-2',
    'tutorial-3',
    'tutorial-4',
    'tutorial-5',
    'tutorial-6',
    'tutorial-7',
    'tutorial-8',
  ],
  Concepts: [
    'contract',
    'big-contracts',
    'calls-and-errors',
    'connection',
    'sessions',
    'streams',
    'security',
  ],
  'How to': [
    'authentication',
    'origins',
    'calls',
    'audiences',
    'presence',
    'upload',
    'idempotency',
    'result-stores',
    'restarts',
    'deploy',
    'strangers',
    'agents',
    'tabs',
    'transports',
    'middleware',
    'meta',
    'tracing',
    'logging',
    'debug',
    'servers',
    'proxies',
    'reconnecting-websocket',
    'discovery',
    'testing',
  ],
  'More than one process': ['cluster', 'cluster-engines'],
  React: [
    'react',
    'react-questions',
    'react-live-list',
    'react-banner',
    'query',
    'devtools',
    'react-testing',
  ],
  'Other front ends': ['front-ends'],
  Electron: [
    'electron-windows',
    'electron-tabs',
    'electron-utility',
    'electron-loopback',
    'electron-security',
    'electron-packaging',
    'electron-errors',
    'electron-testing',
  ],
  Python: ['python'],
  'Coming from': [
    'from-socket-io',
    'from-trpc',
    'from-electron-trpc',
    'electron-from-ipc',
    'from-comlink',
    'from-signalr',
    'from-python',
  ],
  Reference: [
    'outcomes',
    'limits',
    'codecs',
    'tabs-worker',
    'types',
    'features',
    'cli',
    '../protocol',
    '../glossary',
  ],
  About: ['../performance', '../architecture'],
}

/** Pages of the site that no group lists: they are the way to the groups. */
const UNLISTED = ['index.md', 'guide/README.md']

/**
 * The groups of pages, in their order.
 *
 * @throws {Error} if a page is in no group, or a group names a page that does not exist.
 */
export function readGroups(): ReadonlyMap<string, readonly DocsPage[]> {
  const groups = new Map<string, readonly DocsPage[]>()
  const listed = new Set(UNLISTED)
  for (const [name, pages] of Object.entries(GROUPS)) {
    const files = pages.map((page) => join('guide', `${page}.md`))
    for (const file of files) listed.add(file)
    groups.set(
      name,
      files.map((file) => ({ file, title: titleOf(file) })),
    )
  }
  const lost = ['', 'guide']
    .flatMap((folder) => readdirSync(join(docs, folder)).map((name) => join(folder, name)))
    .filter((file) => file.endsWith('.md') && !listed.has(file))
  if (lost.length > 0) {
    throw new Error(`In no group of apps/docs/pages.ts: ${lost.join(', ')}. Add each to a group.`)
  }
  return groups
}

/** The heading of a page, without marks of code. */
export function titleOf(file: string): string {
  const path = join(docs, file)
  if (!existsSync(path))
    throw new Error(`apps/docs/pages.ts names docs/${file}, which does not exist`)
  const [, title] = /^# (.+)$/m.exec(readFileSync(path, 'utf8')) ?? []
  if (title === undefined) throw new Error(`docs/${file} has no heading`)
  return title.replaceAll('`', '')
}
