import type { MarkdownRenderer } from 'vitepress'

/**
 * Lets wide tables scroll on their own, by keyboard too, so that the page does not. A cell of the head without text is no
 * heading.
 */
export function readableTables(markdown: MarkdownRenderer): void {
  markdown.renderer.rules.table_open = () =>
    '<div class="table" role="group" aria-label="Table" tabindex="0"><table>\n'
  markdown.renderer.rules.table_close = () => '</table></div>\n'
  markdown.core.ruler.push('empty-heads', ({ tokens }) => {
    for (const [index, token] of tokens.entries()) {
      const [, inline, close] = tokens.slice(index, index + 3)
      if (token.type !== 'th_open' || inline?.content !== '' || !close) continue
      token.tag = 'td'
      close.tag = 'td'
    }
  })
}
