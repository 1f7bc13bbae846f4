import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { afterAll, beforeAll, expect, test } from 'vitest'

/** What the language service of TypeScript tells an editor about names of a contract. */

const CONTRACT = `
import { defineContract, method, notification, stream } from '@flashrpc/core'
import { z } from 'zod'
export const contract = defineContract({
  server: {
    /** Adds. */
    add: method({ params: z.object({ a: z.number() }), result: z.number() }),
    /** Ticks. */
    ticks: stream({ item: z.number() }),
    /** Writes a line. */
    log: notification({ params: z.object({ line: z.string() }) }),
  },
  client: {
    /** Asks. */
    confirm: method({ params: z.object({ text: z.string() }), result: z.enum(['yes', 'no']) }),
  },
})
export const grouped = defineContract({
  server: {
    users: {
      /** Gets a user. */
      get: method({ result: z.string() }),
    },
  },
})
declare module '@flashrpc/react' {
  interface Register { contract: typeof contract }
}
export interface PlainServer {
  /** Adds plainly. */
  plainAdd(params: { a: number }): number
}
export interface PlainPage {
  /** Asks plainly. */
  plainAsk(): boolean
}
`
const IMPORTS = `
import { type AnyClient, createChannel, createClient, type Client, type Transport } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { createRpcHooks, useRpc, useRpcMethod } from '@flashrpc/react'
import { contract, grouped, type PlainPage, type PlainServer } from './contract.js'
declare const client: Client<typeof contract.client, typeof contract.server>
declare const groups: Client<typeof grouped.client, typeof grouped.server>
declare const plain: Client<PlainPage, PlainServer>
declare const transport: Transport
const hooks = createRpcHooks(contract)
const url = 'ws://127.0.0.1'
`

/** The editor's cursor is at the bar; then the name and the comment that it finds in the contract. */
const CASES = [
  ['client.other.|add({ a: 1 })', 'add', 'Adds.'],
  ['client.other.|ticks()', 'ticks', 'Ticks.'],
  ['groups.other.users.|get()', 'get', 'Gets a user.'],
  ['createEndpoint(grouped, { methods: { users: { |get: () => "" } } })', 'get', 'Gets a user.'],
  ['client.other.|log({ line: "" })', 'log', 'Writes a line.'],
  ['useRpc().|add({ a: 1 })', 'add', 'Adds.'],
  ['hooks.useRpc().|add({ a: 1 })', 'add', 'Adds.'],
  ['plain.other.|plainAdd({ a: 1 })', 'plainAdd', 'Adds plainly.'],
  ['createClient(contract, { url, methods: { |confirm: () => "yes" } })', 'confirm', 'Asks.'],
  [
    'createClient<PlainServer, PlainPage>({ url, methods: { |plainAsk: () => true } })',
    'plainAsk',
    'Asks plainly.',
  ],
  [
    'createEndpoint(contract, { methods: { |add: () => 1, ticks: () => [], log: () => {} } })',
    'add',
    'Adds.',
  ],
  [
    'createEndpoint(contract, { methods: { add: () => 1, async *|ticks() {}, log() {} } })',
    'ticks',
    'Ticks.',
  ],
  ['createEndpoint<PlainServer>({ methods: { |plainAdd: () => 1 } })', 'plainAdd', 'Adds plainly.'],
  [
    'createChannel(contract, { transport, side: "client", methods: { |confirm: () => "no" } })',
    'confirm',
    'Asks.',
  ],
  [
    'createEndpoint(contract, { methods: {} as never, onConnect: [({ other }) => other.|confirm({ text: "" })] })',
    'confirm',
    'Asks.',
  ],
] as const

/** The editor's cursor is at the bar, in a text; then the names that it offers there. */
const OFFERS = [
  ['client.expose("|confirm", () => "yes")', ['confirm']],
  ['plain.expose("|plainAsk", () => true)', ['plainAsk']],
  ['client.call("|add", { a: 1 })', ['add']],
  ['client.stream("|ticks")', ['ticks']],
  ['useRpcMethod("|confirm", () => "yes")', ['confirm']],
  ['hooks.useRpcMethod("|confirm", () => "yes")', ['confirm']],
] as const

const nodeModules = fileURLToPath(new URL('../../../node_modules', import.meta.url))
const codes = [...CASES, ...OFFERS].map(([code]) => code)
let folder: string
let service: ts.LanguageService

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'flashrpc-editor-'))
  // There it finds the packages.
  symlinkSync(nodeModules, join(folder, 'node_modules'), 'junction')
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'contract.ts'), CONTRACT)
  for (const code of codes) {
    writeFileSync(fileOf(code), `${IMPORTS}${code.replace('|', '')}\nexport {}\n`)
  }
  service = languageService(codes.map(fileOf))
  // The first question reads and binds all files, which takes seconds.
  service.getSemanticDiagnostics(fileOf(codes[0] as string))
}, 120_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const fileOf = (code: string) => join(folder, `case-${codes.indexOf(code as never)}.ts`)
const positionOf = (code: string) => IMPORTS.length + code.indexOf('|')

test.each(OFFERS)('an editor offers the names of the contract: %s', (code, names) => {
  const [file, at] = [fileOf(code), positionOf(code)]
  expect(service.getSemanticDiagnostics(file)).toEqual([])
  const { entries = [] } = service.getCompletionsAtPosition(file, at, {}) ?? {}
  expect(entries.map(({ name }) => name)).toEqual(names)
})

test.each(CASES.map(([code, name, comment]) => ({ code, name, comment })))(
  'an editor finds the line of the contract, and its comment: $code',
  ({ code, name, comment }) => {
    const [file, at] = [fileOf(code), positionOf(code)]
    expect(service.getSemanticDiagnostics(file)).toEqual([])
    const definitions = service.getDefinitionAtPosition(file, at) ?? []
    expect(
      definitions.map(({ fileName, textSpan: { start, length } }) => [
        fileName,
        CONTRACT.slice(start, start + length),
      ]),
    ).toContainEqual([join(folder, 'contract.ts'), name])
    const { documentation } = service.getQuickInfoAtPosition(file, at) ?? {}
    expect(ts.displayPartsToString(documentation)).toBe(comment)
  },
)

/** The service that editors use, over the packages' source. */
function languageService(files: string[]): ts.LanguageService {
  const options: ts.CompilerOptions = {
    strict: true,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts', 'lib.dom.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    customConditions: ['@flashrpc/source'],
    skipLibCheck: true,
    noEmit: true,
    jsx: ts.JsxEmit.ReactJSX,
    types: ['node'],
  }
  return ts.createLanguageService({
    getCompilationSettings: () => options,
    getScriptFileNames: () => files,
    getScriptVersion: () => '1',
    getScriptSnapshot: (name) => {
      const text = ts.sys.readFile(name)
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
    },
    getCurrentDirectory: () => folder,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    ...(ts.sys.realpath && { realpath: ts.sys.realpath }),
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
  })
}
