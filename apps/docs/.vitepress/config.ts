import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transformerTwoslash } from '@shikijs/vitepress-twoslash'
import { type DefaultTheme, defineConfig, type UserConfig } from 'vitepress'
import { writeLlms } from '../llms.ts'
import { namedBlocks } from '../markdown/named-blocks.ts'
import { pageLinks } from '../markdown/page-links.ts'
import { readableTables } from '../markdown/tables.ts'
import { readTypes, typeHovers } from '../markdown/type-hovers.ts'
import { docs, readGroups } from '../pages.ts'

type ShikiTransformer = NonNullable<NonNullable<UserConfig['markdown']>['codeTransformers']>[number]
type Plugin = Extract<
  NonNullable<NonNullable<UserConfig['vite']>['plugins']>[number],
  { name: string }
>

const root = fileURLToPath(new URL('../../..', import.meta.url))
/** Where the site is served, such as `/flashrpc/`. */
const base = process.env.DOCS_BASE ?? '/'
const description =
  'Typed JSON-RPC in both directions over WebSocket, MessagePort and Electron: a server calls a page as easily as the page calls the server.'

const sidebar: DefaultTheme.SidebarItem[] = [...readGroups()].map(([text, pages]) => ({
  text,
  items: pages.map(({ file, title }) => ({ text: title, link: `/${file.replace(/\.md$/, '')}` })),
}))

/** Lets pages, which are outside of this package, import what they are compiled to: Vue, of this package. */
function packagesOfSite(): Plugin {
  return {
    name: 'packages-of-site',
    enforce: 'pre',
    resolveId(id, importer) {
      if (!importer?.startsWith(docs) || /^[./\0]/.test(id)) return undefined
      return this.resolve(id, fileURLToPath(import.meta.url), { skipSelf: true })
    },
  }
}

/**
 * Runs the programs of the playground as a developer runs them: errors have the line of their call, and warnings and errors are
 * printed if there is no logger.
 */
function developmentOfPrograms(): Plugin {
  return {
    name: 'development-of-programs',
    enforce: 'pre',
    resolveId: (id) =>
      id === '#trace-default'
        ? join(root, 'packages/core/src/features/diagnostics/trace-default-development.ts')
        : undefined,
    transform: (code, id) =>
      id === join(root, 'packages/core/src/logging/production.ts')
        ? code.replaceAll('process.env.NODE_ENV', "'development'")
        : undefined,
  }
}

/** The entries of the packages: the page of each lists its members. */
function apiSidebar(): DefaultTheme.SidebarItem[] {
  const index = readFileSync(join(docs, 'api/index.md'), 'utf8')
  const entries = [...index.matchAll(/^- \[(.+?)\]\((.+?)\.md\)$/gm)]
  return [
    {
      text: 'Reference',
      items: entries.map(([, text = '', link = '']) => ({
        text: text.replaceAll('\\', ''),
        link: `/api/${link.replace(/index$/, '')}`,
      })),
    },
  ]
}

/** The address of the repository's files, once the packages name it. */
function repositoryFiles(): string | undefined {
  const { repository } = JSON.parse(
    readFileSync(join(root, 'packages/core/package.json'), 'utf8'),
  ) as { repository?: { url: string } }
  return repository && `${repository.url.replace(/^git\+|\.git$/g, '')}/blob/main`
}

export default defineConfig({
  title: 'flashrpc',
  description,
  lang: 'en',
  base,
  srcDir: docs,
  outDir: fileURLToPath(new URL('../dist', import.meta.url)),
  cacheDir: fileURLToPath(new URL('../node_modules/.cache', import.meta.url)),
  rewrites: { 'guide/README.md': 'guide/index.md' },
  vite: {
    plugins: [packagesOfSite()],
    // The playground runs the packages' source: no build is needed.
    resolve: { conditions: ['@flashrpc/source'] },
    worker: { format: 'es', plugins: () => [developmentOfPrograms()] },
  },
  markdown: {
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    codeTransformers: [
      transformerTwoslash({
        explicitTrigger: true,
        throws: true,
        twoslasher: readTypes,
      }) as unknown as ShikiTransformer, // Of another version of Shiki than VitePress has.
    ],
    config(markdown) {
      namedBlocks(markdown)
      typeHovers(markdown)
      readableTables(markdown)
      pageLinks(markdown, repositoryFiles())
    },
  },
  // The home page has no main part, which readers of the screen go to.
  transformHtml: (html) => html.replace('<div class="VPHome"', '<div role="main" class="VPHome"'),
  buildEnd({ outDir }) {
    writeLlms(outDir, base, description)
  },
  themeConfig: {
    nav: [
      { text: 'Guide', link: '/guide/' },
      { text: 'Reference', link: '/api/' },
      { text: 'Glossary', link: '/glossary' },
    ],
    sidebar: { '/': sidebar, '/api/': apiSidebar() },
    outline: [2, 3],
    search: {
      provider: 'local',
      options: {
        // The words of pages are found, and the classes and functions of the reference, which link to its types.
        _render(source, env, markdown) {
          const isType = /^api\/.*\/(type-aliases|variables)\//.test(env.relativePath)
          return isType ? '' : markdown.render(source.replaceAll(/^```[\s\S]*?^```$/gm, ''), env)
        },
      },
    },
    docFooter: { prev: 'Previous page', next: 'Next page' },
  },
})
