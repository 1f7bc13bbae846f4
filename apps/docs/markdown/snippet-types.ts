import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { transformerTwoslash } from '@shikijs/vitepress-twoslash'
import ts from 'typescript'
import { blocksWithTheirs } from '../../../scripts/markdown-blocks.ts'
import { docs } from '../pages.ts'

/** What a transformer of code asks for the types in it. */
type Twoslasher = NonNullable<NonNullable<Parameters<typeof transformerTwoslash>[0]>['twoslasher']>
type Hover = ReturnType<Twoslasher>['nodes'][number]

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** How TypeScript reads the code of pages. The packages are their source: no build is needed. */
const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: [
    'lib.es2023.d.ts',
    'lib.esnext.disposable.d.ts',
    'lib.dom.d.ts',
    'lib.dom.iterable.d.ts',
    'lib.dom.asynciterable.d.ts',
  ],
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  customConditions: ['@flashrpc/source'],
  allowImportingTsExtensions: true,
  noEmit: true,
  strict: true,
  skipLibCheck: true,
  jsx: ts.JsxEmit.ReactJSX,
  types: ['node'],
}

/**
 * The types of the names in the code of pages. TypeScript reads all pages as one program, so that it reads what they import once:
 * Twoslash would make a program for each block. A folder for each page has the files that the page shows, and those of the page
 * whose files it adds to. If a page registers its contract (`Register` of `@flashrpc/react`), it does so for all.
 */
export class SnippetTypes {
  readonly #pages: readonly string[]
  readonly #files = new Map<string, { readonly code: string; readonly version: number }>()
  readonly #service: ts.LanguageService

  /** @param pages whose code is read, such as `guide/quick-start.md`. */
  constructor(pages: readonly string[]) {
    this.#pages = pages
    const read = (file: string) => this.#files.get(file)?.code ?? ts.sys.readFile(file)
    this.#service = ts.createLanguageService({
      getCompilationSettings: () => OPTIONS,
      getCurrentDirectory: () => root,
      getDefaultLibFileName: ts.getDefaultLibFilePath,
      getScriptFileNames: () => [...this.#files.keys()],
      getScriptVersion: (file) => String(this.#files.get(file)?.version ?? 0),
      getScriptSnapshot(file) {
        const code = read(file)
        return code === undefined ? undefined : ts.ScriptSnapshot.fromString(code)
      },
      readFile: read,
      fileExists: (file) => this.#files.has(file) || ts.sys.fileExists(file),
      realpath: (file) => (this.#files.has(file) ? file : (ts.sys.realpath?.(file) ?? file)),
    })
  }

  /**
   * The type of each name in a block.
   *
   * @throws {Error} if TypeScript finds a fault in a file of the page.
   */
  hoversOf(page: string, name: string): { readonly code: string; readonly nodes: Hover[] } {
    this.#read()
    this.#check(page)
    const file = this.#fileOf(page, name)
    const source = this.#service.getProgram()?.getSourceFile(file)
    if (!source) throw new Error(`docs/${page} has no block named ${name}`)
    const nodes: Hover[] = []
    const visit = (node: ts.Node): void => {
      if (ts.isIdentifier(node)) {
        const start = node.getStart(source)
        const info = this.#service.getQuickInfoAtPosition(file, start)
        if (info?.displayParts) {
          nodes.push({
            type: 'hover',
            target: node.text,
            text: ts.displayPartsToString(info.displayParts),
            docs: ts.displayPartsToString(info.documentation) || undefined,
            start,
            length: node.getEnd() - start,
            ...source.getLineAndCharacterOfPosition(start),
          } as Hover)
        }
      }
      ts.forEachChild(node, visit)
    }
    visit(source)
    return { code: source.text.trimEnd(), nodes }
  }

  #fileOf(page: string, name: string): string {
    return join(docs, page.replace(/\.md$/, ''), name)
  }

  /** Takes the code that the pages have now: while somebody writes them, it changes. */
  #read(): void {
    for (const page of this.#pages) {
      for (const { name, code } of blocksWithTheirs(join(docs, page))) {
        if (name === undefined) continue
        const file = this.#fileOf(page, name)
        const before = this.#files.get(file)
        if (before?.code === code) continue
        this.#files.set(file, { code, version: (before?.version ?? 0) + 1 })
      }
    }
  }

  #check(page: string): void {
    for (const { name } of blocksWithTheirs(join(docs, page))) {
      if (name === undefined) continue
      const file = this.#fileOf(page, name)
      const [problem] = [
        ...this.#service.getSyntacticDiagnostics(file),
        ...this.#service.getSemanticDiagnostics(file),
      ]
      if (!problem) continue
      const { line } = ts.getLineAndCharacterOfPosition(
        problem.file as ts.SourceFile,
        problem.start ?? 0,
      )
      const text = ts.flattenDiagnosticMessageText(problem.messageText, '\n')
      throw new Error(`docs/${page}: ${name}, line ${line + 1}: TS${problem.code}: ${text}`)
    }
  }
}
