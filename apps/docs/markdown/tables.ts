import type { MarkdownRenderer } from 'vitepress'

/** Lets wide tables scroll on their own, by keyboard too, so that the page does not. */
export function scrollingTables(markdown: MarkdownRenderer): void {
  markdown.renderer.rules.table_open = () =>
    '<div class="table" role="region" aria-label="Table" tabindex="0"><table>\n'
  markdown.renderer.rules.table_close = () => '</table></div>\n'
}
