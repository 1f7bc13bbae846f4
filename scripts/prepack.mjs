// Fills the folder that a package is packed from: `.packed`, which `publishConfig.directory` in its package.json names.
// Run in the package's folder by its `prepack`. It changes no file that git knows.
//
// The folder has what `files` in the package.json names, and the documentation that the README links to. Pages of the
// guide bring along the pages of the guide that they link to, so that none of these links is lost. In the
// repository the README links to `../../docs/guide/calls.md`; in the package the same page is `docs/guide/calls.md`.
// Links of these pages to files that are not in the package become text: nobody knows where those are.
//
// A file that is as it must be is left alone, and another is replaced at once as a whole: so a package can be packed
// twice at the same time, and again if this process was ended too early.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, posix, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const folder = process.cwd()
const home = relative(root, folder).split(sep).join('/')
const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
const target = join(folder, manifest.publishConfig.directory)

/** What is packed, by its path in the package. */
const packed = new Map()
for (const name of [...manifest.files, 'README.md', 'LICENSE', 'package.json']) {
  for (const path of filesAt(folder, name)) packed.set(path, readFileSync(join(folder, path)))
}
addDocumentation()
for (const [path, content] of packed) {
  // A template of create-flashrpc.
  if (/^templates\/[^/]+\/package\.json$/.test(path)) packed.set(path, withVersions(content))
}
// Of no use to those that install it.
const { directory, linkDirectory, ...publishConfig } = manifest.publishConfig
packed.set('package.json', Buffer.from(JSON.stringify({ ...manifest, publishConfig }, null, 2)))

for (const [path, content] of packed) put(path, content)
for (const path of filesAt(target, '.')) {
  if (!packed.has(path)) rmSync(join(target, path), { force: true })
}

function addDocumentation() {
  const readme = packed.get('README.md').toString()
  const linked = [...readme.matchAll(/\]\(\.\.\/\.\.\/(docs\/[^)#]+\.md)/g)]
  const pages = new Set(linked.map(([, page]) => String(page)))
  // Pages that are added here are visited, too.
  for (const page of pages) for (const other of guidePagesOf(page)) pages.add(other)
  packed.set('README.md', Buffer.from(readme.replaceAll('](../../docs/', '](docs/')))
  for (const page of pages) {
    const text = readFileSync(join(root, page), 'utf8')
    packed.set(page, Buffer.from(withOwnLinks(text, page, pages)))
  }
}

/**
 * The pages of the guide that a page of the guide links to, such as `docs/guide/calls.md`.
 *
 * @param {string} page its path in the repository
 */
function guidePagesOf(page) {
  if (!page.startsWith('docs/guide/')) return []
  const links = readFileSync(join(root, page), 'utf8').matchAll(/\]\(([^)\s#]+\.md)/g)
  return [...links]
    .map(([, path = '']) => posix.join(posix.dirname(page), path))
    .filter((path) => path.startsWith('docs/guide/'))
}

/**
 * The files of a file or folder; none, if there is no such.
 *
 * @param {string} base
 * @param {string} name its path in `base`
 * @returns {string[]} their paths in `base`
 */
function filesAt(base, name) {
  try {
    return readdirSync(join(base, name), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(base, join(entry.parentPath, entry.name)).split(sep).join('/'))
  } catch (error) {
    if (error.code === 'ENOTDIR') return [name]
    if (error.code === 'ENOENT') return []
    throw error
  }
}

/**
 * The `package.json` of a template, with the versions of this workspace in place of `workspace:^`: of our packages the
 * current ones, and of others those that this package has as `devDependencies`.
 *
 * @param {Buffer} content
 */
function withVersions(content) {
  const template = JSON.parse(content.toString())
  for (const field of ['dependencies', 'devDependencies']) {
    for (const name of Object.keys(template[field])) template[field][name] = versionOf(name)
  }
  return Buffer.from(`${JSON.stringify(template, null, 2)}\n`)
}

/** @param {string} name of a package that this one has as a devDependency */
function versionOf(name) {
  const range = manifest.devDependencies[name]
  if (range === undefined)
    throw new Error(`${home}/package.json has no devDependency ${name}. Add it`)
  if (range !== 'workspace:^') return range
  const file = join(folder, 'node_modules', name, 'package.json')
  return `^${JSON.parse(readFileSync(file, 'utf8')).version}`
}

/**
 * Puts a file into the folder that is packed.
 *
 * @param {string} path
 * @param {Buffer} content
 */
function put(path, content) {
  const file = join(target, path)
  try {
    if (readFileSync(file).equals(content)) return
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
  mkdirSync(dirname(file), { recursive: true })
  // Beside the folder, so that no other process takes it for a file of the package.
  const unfinished = `${target}-${process.pid}`
  writeFileSync(unfinished, content)
  renameSync(unfinished, file)
}

/**
 * A page as it is in the package.
 *
 * @param {string} text
 * @param {string} page its path in the repository, such as `docs/guide/calls.md`
 * @param {ReadonlySet<string>} pages the paths of all pages that are in the package
 */
function withOwnLinks(text, page, pages) {
  return text.replace(/(!?)\[([^\]]*)\]\(([^)\s]+)\)/g, (link, image, label, target) => {
    if (/^[a-z]+:|^#/.test(target)) return link
    const [path = '', anchor] = target.split('#')
    const wanted = posix.join(posix.dirname(page), path)
    if (pages.has(wanted)) return link
    const own = wanted.startsWith(`${home}/`) ? wanted.slice(home.length + 1) : undefined
    if (own !== undefined && packed.has(own) && /^(src|README\.md)/.test(own)) {
      const from = posix.relative(posix.dirname(page), own)
      return `${image}[${label}](${anchor ? `${from}#${anchor}` : from})`
    }
    return image ? `*${label}*` : label
  })
}
