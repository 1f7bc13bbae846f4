import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type DefaultTheme, defineConfig, type UserConfig } from 'vitepress'
import { writeLlms } from '../llms.ts'
import { namedBlocks } from '../markdown/named-blocks.ts'
import { pageLinks } from '../markdown/page-links.ts'
import { scrollingTables } from '../markdown/tables.ts'
import { docs, readGroups } from '../pages.ts'

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
  collapsed: false,
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
  vite: { plugins: [packagesOfSite()] },
  markdown: {
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config(markdown) {
      namedBlocks(markdown)
      scrollingTables(markdown)
      pageLinks(markdown, repositoryFiles())
    },
  },
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
        // Of the reference, classes and functions are found; its types are linked from them.
        _render(source, env, markdown) {
          const html = markdown.render(source, env)
          return /^api\/.*\/(type-aliases|variables)\//.test(env.relativePath) ? '' : html
        },
      },
    },
    docFooter: { prev: 'Previous page', next: 'Next page' },
  },
})
