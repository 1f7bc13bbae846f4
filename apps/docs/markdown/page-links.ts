import { posix } from 'node:path'
import type { MarkdownRenderer } from 'vitepress'

/**
 * Makes links that are right on GitHub right on the site. The guide's README is the site's page /guide/. Files outside of docs
 * are not on the site: a link to one leads to the repository, or is text as long as its address is not known.
 *
 * @param repository the address of the repository's files, such as `https://github.com/owner/name/blob/main`.
 */
export function pageLinks(markdown: MarkdownRenderer, repository: string | undefined): void {
  markdown.core.ruler.push('page-links', ({ tokens, env }) => {
    const { relativePath } = env as { relativePath?: string }
    if (relativePath === undefined) return // A heading on its own.
    const folder = posix.dirname(relativePath)
    for (const { children } of tokens) {
      const isLost: boolean[] = []
      for (const token of children ?? []) {
        if (token.type === 'link_close' && isLost.pop()) token.tag = 'span'
        if (token.type !== 'link_open') continue
        const href = token.attrGet('href') ?? ''
        const [path = '', anchor] = href.split('#')
        const target = /^([a-z]+:|\/)/.test(href) || path === '' ? '' : posix.join(folder, path)
        const isOutside = target.startsWith('..')
        isLost.push(isOutside && repository === undefined)
        if (isOutside && repository !== undefined) {
          token.attrSet('href', posix.join('/', target).replace('/', `${repository}/`))
        } else if (isOutside) {
          token.tag = 'span'
          token.attrs = []
        } else if (posix.basename(target) === 'README.md') {
          const index = posix.relative(folder, posix.join(posix.dirname(target), 'index.md'))
          token.attrSet('href', anchor === undefined ? index : `${index}#${anchor}`)
        }
      }
    }
  })
}
