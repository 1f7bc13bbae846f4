import { dirname, join } from 'node:path'
import type { MarkdownRenderer } from 'vitepress'
import { blocksWithTheirs } from '../../../scripts/markdown-blocks.ts'
import { docs } from '../pages.ts'

/** The pages whose code shows types: a page takes some seconds to build with them. */
const PAGES = ['guide/quick-start.md', 'guide/quick-start-react.md']

/**
 * Shows the type of each name in the code of some pages. A block sees the files of its page, and of the page whose files it adds
 * to, as TypeScript does.
 */
export function typeHovers(markdown: MarkdownRenderer): void {
  const { fence } = markdown.renderer.rules
  markdown.renderer.rules.fence = (tokens, index, options, env, self) => {
    const token = tokens[index]
    const { relativePath = '' } = env as { relativePath?: string }
    const [, language, name] = /^(tsx?) +(\S+)$/.exec(token?.info.trim() ?? '') ?? []
    if (token && language !== undefined && PAGES.includes(relativePath)) {
      const files = blocksWithTheirs(
        join(docs, dirname(relativePath), relativePath.split('/').at(-1) ?? ''),
      )
      const others = files.filter((file) => file.name !== undefined && file.name !== name)
      token.info = `${language} ${name} twoslash`
      token.content = [
        ...others.map((file) => `// @filename: ${file.name}\n${file.code}`),
        `// @filename: ${name}\n// ---cut---\n${token.content}`,
      ].join('\n')
    }
    return fence?.(tokens, index, options, env, self) ?? ''
  }
}
