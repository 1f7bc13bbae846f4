import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { dirname, join, relative } from 'node:path'

/**
 * A function or a class at the top level of a file, whose name is on the line where it begins. Names that begin with `_` are
 * those of helpers for what older engines lack.
 */
const DECLARATIONS =
  /^(?:export )?(?:declare )?(?:abstract )?(?:async )?(?:function\*? |var |class |interface )(?!_)([\w$]+)(?= = (?:\/\* @__PURE__ \*\/ \(\(\) => )?class\b|[(<{ ])/gm

/**
 * Checks the source maps of an installed package: each leads to files of the package, and each function and class to the
 * line of the source that declares it. Every file has one that declares anything.
 *
 * @param folder the package's.
 * @throws {AssertionError} naming the file and the line.
 */
export function checkSourceMaps(folder: string, name: string): void {
  const dist = join(folder, 'dist')
  const paths = readdirSync(dist, { recursive: true, encoding: 'utf8' })
  let declarations = 0
  for (const path of paths.filter((path) => /\.c?[jt]s$/.test(path))) {
    const file = join(dist, path)
    const text = readFileSync(file, 'utf8')
    // Of what only names the exports of other files there is nothing to tell.
    if (/^(?:(?:import|export) [^;]*;\s*)*$/.test(text)) continue
    const comment = /^\/\/# sourceMappingURL=(\S+)\s*$/m.exec(text)?.[1]
    assert(comment, `${name}: ${path} has no source map`)
    const map = join(dirname(file), comment)
    assert(existsSync(map), `${name}: ${path} has no ${comment}`)
    declarations += checkMap(file, text, map)
  }
  console.log(`${name}: source maps lead to the sources of ${declarations} functions and classes`)
}

function checkMap(file: string, text: string, path: string): number {
  const payload = JSON.parse(readFileSync(path, 'utf8'))
  for (const source of payload.sources as string[]) {
    const target = join(dirname(path), payload.sourceRoot ?? '', source)
    assert(existsSync(target), `${path} leads to ${source}, which is not packed`)
    assert(!relative(dirname(path), target).includes('node_modules'), `${path} leads to ${source}`)
  }
  const map = new SourceMap(payload)
  let checked = 0
  for (const { index, 1: name = '' } of text.matchAll(DECLARATIONS)) {
    const before = text.slice(0, text.indexOf(name, index)).split('\n')
    const [line, column] = [before.length - 1, before.at(-1)?.length ?? 0]
    const found = map.findEntry(line, column)
    assert('originalSource' in found, `${file}:${line + 1}: ${name} has no source`)
    const source = readFileSync(join(dirname(path), found.originalSource), 'utf8').split('\n')
    // The bundle may have given it a number, because another file has the same name.
    const declared = name.replace(/\$\d+$/, '')
    assert(
      source[found.originalLine]?.includes(declared),
      `${file}:${line + 1}: ${name} leads to ${found.originalSource}:${found.originalLine + 1}, which does not declare it`,
    )
    checked++
  }
  return checked
}
