import type { MarkdownRenderer } from 'vitepress'

/** Shows the name of a block's file above it: documentation names it behind the language, as in "```ts contract.ts". */
export function namedBlocks(markdown: MarkdownRenderer): void {
  const { fence } = markdown.renderer.rules
  markdown.renderer.rules.fence = (tokens, index, options, env, self) => {
    const token = tokens[index]
    const html = () => fence?.(tokens, index, options, env, self) ?? ''
    const [, language, name, rest] =
      /^(\w+) +([^\s[{]+\.\w+)(.*)$/.exec(token?.info.trim() ?? '') ?? []
    if (!token || language === undefined || name === undefined) return html()
    token.info = language + rest
    return `<div class="named-block"><div class="block-name">${markdown.utils.escapeHtml(name)}</div>${html()}</div>`
  }
}
