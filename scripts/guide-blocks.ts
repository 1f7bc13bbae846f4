import { fileURLToPath } from 'node:url'
import { blocksWithTheirs } from './markdown-blocks.ts'

const BLOCK = /^guide:([^/]+)\/(.+)$/

/**
 * Lets tests import a block of the guide: `guide:testing/orders.test.ts` is the block `orders.test.ts` of testing.md. What a
 * block imports from `./…` is another block of its page, or of the page whose files it adds to.
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
      const path = fileURLToPath(new URL(`../docs/guide/${page}.md`, import.meta.url))
      const block = blocksWithTheirs(path).find((one) => one.name === name)
      if (!block) throw new Error(`docs/guide/${page}.md has no block named ${name}`)
      return block.code
    },
  }
}
