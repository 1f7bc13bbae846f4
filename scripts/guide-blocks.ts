import { readFileSync } from 'node:fs'
import { blocksOf } from './markdown-blocks.ts'

const BLOCK = /^guide:([^/]+)\/(.+)$/

/**
 * Lets tests import a block of the guide: `guide:testing/orders.test.ts` is the block `orders.test.ts` of testing.md. What a
 * block imports from `./…` is another block of its page.
 */
export function guideBlocks() {
  return {
    name: 'guide-blocks',
    enforce: 'pre' as const,
    resolveId(id: string, importer: string | undefined) {
      if (BLOCK.test(id)) return id
      const [, page] = BLOCK.exec(importer ?? '') ?? []
      return page !== undefined && id.startsWith('./') ? `guide:${page}/${id.slice(2)}` : undefined
    },
    load(id: string) {
      const [, page, name] = BLOCK.exec(id) ?? []
      if (page === undefined) return undefined
      const markdown = readFileSync(new URL(`../docs/guide/${page}.md`, import.meta.url), 'utf8')
      const block = blocksOf(markdown).find((one) => one.name === name)
      if (!block) throw new Error(`docs/guide/${page}.md has no block named ${name}`)
      return block.code
    },
  }
}
