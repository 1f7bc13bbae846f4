// Puts the documentation that a package's README links to into the package while it is packed, and takes it out again.
// Run in the package's folder by its `prepack` (put) and `postpack` (remove).
//
// In the repository the README links to `../../docs/guide/calls.md`; in the package the same page is `docs/guide/calls.md`.
// Links of these pages to files that are not in the package become text: nobody knows where those are.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, posix, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const folder = process.cwd()
const home = relative(root, folder).replaceAll('\\', '/')
const readme = join(folder, 'README.md')

if (process.argv[2] === 'put') put()
else if (process.argv[2] === 'remove') remove()
else throw new Error('Say what to do: node package-docs.mjs put, or remove')

function put() {
  const text = readFileSync(readme, 'utf8').replaceAll('](docs/', '](../../docs/')
  const pages = new Set(
    [...text.matchAll(/\]\(\.\.\/\.\.\/(docs\/[^)#]+\.md)/g)].map(([, page]) => String(page)),
  )
  rmSync(join(folder, 'docs'), { recursive: true, force: true })
  for (const page of pages) {
    const target = join(folder, page)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, packed(readFileSync(join(root, page), 'utf8'), page, pages))
  }
  writeFileSync(readme, text.replaceAll('](../../docs/', '](docs/'))
}

function remove() {
  rmSync(join(folder, 'docs'), { recursive: true, force: true })
  writeFileSync(readme, readFileSync(readme, 'utf8').replaceAll('](docs/', '](../../docs/'))
}

/**
 * A page as it is in the package.
 *
 * @param {string} text
 * @param {string} page its path in the repository, such as `docs/guide/calls.md`
 * @param {ReadonlySet<string>} pages the paths of all pages that are in the package
 */
function packed(text, page, pages) {
  return text.replace(/(!?)\[([^\]]*)\]\(([^)\s]+)\)/g, (link, image, label, target) => {
    if (/^[a-z]+:|^#/.test(target)) return link
    const [path = '', anchor] = target.split('#')
    const wanted = posix.join(posix.dirname(page), path)
    if (pages.has(wanted)) return link
    const own = wanted.startsWith(`${home}/`) ? wanted.slice(home.length + 1) : undefined
    if (own !== undefined && existsSync(join(folder, own)) && /^(src|README\.md)/.test(own)) {
      const from = posix.relative(posix.dirname(page), own)
      return `${image}[${label}](${anchor ? `${from}#${anchor}` : from})`
    }
    return image ? `*${label}*` : label
  })
}
