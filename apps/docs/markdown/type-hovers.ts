import type { MarkdownRenderer } from 'vitepress'
import { readGroups } from '../pages.ts'
import { SnippetTypes } from './snippet-types.ts'

/** The pages whose code shows types. */
const PAGES = [...readGroups().values()]
  .flat()
  .map(({ file }) => file)
  .filter((file) => /^guide\/(quick-start(-react)?|tutorial-\d)\.md$/.test(file))

/** The first line of a block with types, which says to {@link readTypes} what it is. Readers do not see it. */
const MARK = /^\/\/ (guide\/\S+) (\S+)\n/

const types = new SnippetTypes(PAGES)

/** Marks the blocks that show the type of each name in them. */
export function typeHovers(markdown: MarkdownRenderer): void {
  const { fence } = markdown.renderer.rules
  markdown.renderer.rules.fence = (tokens, index, options, env, self) => {
    const token = tokens[index]
    const { relativePath = '' } = env as { relativePath?: string }
    const [, language, name] = /^(tsx?) +(\S+)$/.exec(token?.info.trim() ?? '') ?? []
    if (token && language !== undefined && PAGES.includes(relativePath)) {
      token.info = `${language} ${name} twoslash`
      token.content = `// ${relativePath} ${name}\n${token.content}`
    }
    return fence?.(tokens, index, options, env, self) ?? ''
  }
}

/** The types in a block that {@link typeHovers} has marked. */
export function readTypes(code: string): ReturnType<SnippetTypes['hoversOf']> {
  const [, page = '', name = ''] = MARK.exec(code) ?? []
  return types.hoversOf(page, name)
}
