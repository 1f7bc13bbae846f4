import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import {
  GREATEST_LOWER_BOUND,
  LEAST_UPPER_BOUND,
  originalPositionFor,
  sourceContentFor,
  TraceMap,
} from '@jridgewell/trace-mapping'
import type { CoveredFunction, CoveredScript } from './coverage.ts'

/** A function of a source file, and how often it ran. */
export interface SourceFunction {
  /** From the folder, with `/`. */
  readonly file: string
  /** `(anonymous)` if it has none. */
  readonly name: string
  readonly calls: number
}

/** The place of a function that no source file has: a bundler's own. */
const GENERATED = '(generated)'

/**
 * Finds the functions of source files that have run, by source maps: several source files may be one script, and the
 * same function may be in several.
 *
 * @param folder of the source files: functions of others, such as a dependency that was bundled, are left out.
 * @returns each function once, ordered by file and place.
 * @throws {Error} if a script is no source file itself, and has no source map.
 */
export function sourceFunctions(
  scripts: readonly CoveredScript[],
  folder: string,
): SourceFunction[] {
  const prefix = `${pathToFileURL(folder).href}/`
  const found = new Map<string, SourceFunction & Place>()
  for (const script of scripts) {
    const places = new Places(script)
    if (!places.areMapped && !script.url.startsWith(prefix)) {
      throw new Error(`${script.url} has no source map: build it with one`)
    }
    // Where a map is so coarse that several functions of a script have one place, they are several all the same.
    const atPlace = new Map<string, number>()
    for (const covered of script.functions) {
      const place = places.of(covered.start)
      if (place && !place.url.startsWith(prefix)) continue
      const { url, line, column } = place ?? { url: script.url, line: 0, column: covered.start }
      const key = `${url}:${line}:${column}`
      const index = atPlace.get(key) ?? 0
      atPlace.set(key, index + 1)
      const before = found.get(`${key}:${index}`)
      found.set(`${key}:${index}`, {
        file: place ? url.slice(prefix.length) : GENERATED,
        name: nameOf(covered),
        calls: covered.calls + (before?.calls ?? 0),
        url,
        line,
        column,
      })
    }
  }
  return [...found.values()]
    .sort(
      (one, other) =>
        compare(one.file, other.file) || one.line - other.line || one.column - other.column,
    )
    .map(({ file, name, calls }) => ({ file, name, calls }))
}

/** How many different functions there are, and in how many files. */
export interface Count {
  readonly functions: number
  readonly files: number
}

export function countOf(functions: readonly SourceFunction[]): Count {
  return { functions: functions.length, files: new Set(functions.map(({ file }) => file)).size }
}

interface Place {
  readonly url: string
  /** From 1. */
  readonly line: number
  /** From 0. */
  readonly column: number
}

/** The places in source files of what is in a script. */
class Places {
  readonly #url: string
  readonly #lineStarts: readonly number[]
  readonly #map: SourceMap | undefined

  constructor({ url, text }: CoveredScript) {
    this.#url = url
    this.#lineStarts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)]
    this.#map = SourceMap.of(url, text)
  }

  /** Whether the script was made from other files. */
  get areMapped(): boolean {
    return this.#map !== undefined
  }

  /** @returns undefined for what no source file has. */
  of(offset: number): Place | undefined {
    const line = this.#lineStarts.findLastIndex((start) => start <= offset) + 1
    const column = offset - (this.#lineStarts[line - 1] ?? 0)
    if (!this.#map) return { url: this.#url, line, column }
    return this.#map.sourceOf(line, column)
  }
}

/** A source map, and those of its sources, if they were made from others themselves. */
class SourceMap {
  readonly #trace: TraceMap
  readonly #ofSources = new Map<string, SourceMap | undefined>()

  private constructor(json: string, url: string) {
    this.#trace = new TraceMap(json, url)
  }

  /** The one that a script names in its last lines. */
  static of(url: string, text: string): SourceMap | undefined {
    const named = [...text.matchAll(/^\/\/# sourceMappingURL=(\S+)\s*$/gm)].at(-1)?.[1]
    if (named === undefined) return undefined
    const at = new URL(named, url)
    if (at.protocol === 'data:') {
      const [type = '', data = ''] = splitOnce(at.pathname, ',')
      const json = type.endsWith(';base64')
        ? Buffer.from(data, 'base64').toString()
        : decodeURIComponent(data)
      return new SourceMap(json, url)
    }
    return new SourceMap(readFileSync(at, 'utf8'), at.href)
  }

  sourceOf(line: number, column: number): Place | undefined {
    const at = { line, column }
    // A map may know the name of a method and not the `async` before it.
    const before = originalPositionFor(this.#trace, { ...at, bias: GREATEST_LOWER_BOUND })
    const found =
      before.source === null
        ? originalPositionFor(this.#trace, { ...at, bias: LEAST_UPPER_BOUND })
        : before
    if (found.source === null || !found.source.startsWith('file:')) return undefined
    const deeper = this.#ofSource(found.source)
    if (deeper) return deeper.sourceOf(found.line, found.column)
    return { url: found.source, line: found.line, column: found.column }
  }

  #ofSource(url: string): SourceMap | undefined {
    if (!this.#ofSources.has(url)) {
      const text = existsSync(fileURLToPath(url))
        ? readFileSync(new URL(url), 'utf8')
        : (sourceContentFor(this.#trace, url) ?? '')
      this.#ofSources.set(url, SourceMap.of(url, text))
    }
    return this.#ofSources.get(url)
  }
}

/** Bundlers tell names apart by numbers: `send$1`. */
function nameOf({ name }: CoveredFunction): string {
  return name.replace(/\$\d+$/, '') || '(anonymous)'
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)]
}

function compare(one: string, other: string): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}
