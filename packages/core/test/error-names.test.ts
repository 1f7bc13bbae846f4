import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

const packages = fileURLToPath(new URL('../../', import.meta.url))

/** Not what plays Electron for tests: errors there are named as Electron's are. */
const sources = readdirSync(packages, { recursive: true, encoding: 'utf8' }).filter(
  (file) => /^\w+\/src\/.*\.ts$/.test(file) && !file.startsWith('electron/src/testing/main/'),
)

/** The error classes of all packages, by their names, and the files that export them. */
const classes = new Map(
  sources.flatMap((file) =>
    [
      ...readFileSync(`${packages}${file}`, 'utf8').matchAll(
        /^export class (\w+) extends (?:\w*Error|Error)\b/gm,
      ),
    ].map(([, name = '']): [string, string] => [name, file]),
  ),
)

/** Where `new Class('text')` is no error. */
const ARGUMENTS: Readonly<Record<string, string>> = {
  RpcError: '4004, "text"',
  RejectUpgrade: '401, "text"',
  RpcListenError: '"text", {}',
}

/** Runs a program as a minified bundle. @returns what it exports. */
async function runMinified(program: string): Promise<unknown> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: packages },
    bundle: true,
    minify: true,
    format: 'cjs',
    platform: 'node',
    conditions: ['@flashrpc/source'],
    external: ['electron', 'playwright-core'],
    write: false,
    logLevel: 'silent',
  })
  const module = { exports: {} as { default?: unknown } }
  const run = new Function('module', 'require', outputFiles[0]?.text ?? '')
  run(module, createRequire(import.meta.url))
  return module.exports.default
}

test('each error class has its own name in a minified bundle', async () => {
  expect([...classes.keys()]).toEqual(expect.arrayContaining(['RpcTimeoutError', 'RejectUpgrade']))
  const imports = [...classes].map(([name, file]) => `import { ${name} } from './${file}'`)
  const thrown = [...classes.keys()].map(
    (name) =>
      `[${JSON.stringify(name)}, nameOf(() => new ${name}(${ARGUMENTS[name] ?? '"text"'}))]`,
  )
  const nameOf =
    'const nameOf = (make) => { try { throw make() } catch ({ name }) { return name } }'
  const names = await runMinified(
    [...imports, nameOf, `export default [${thrown.join(', ')}]`].join('\n'),
  )
  expect(Object.fromEntries(names as [string, string][])).toEqual(
    Object.fromEntries([...classes.keys()].map((name) => [name, name])),
  )
})

test('an error that a minified program prints begins with the name of its class', async () => {
  const printed = await runMinified(`
    import { createClient } from './core/src/index.ts'
    let printed
    try { createClient({}) } catch (error) { printed = [String(error), error.stack.split('\\n')[0]] }
    export default printed
  `)
  expect(printed).toEqual([
    expect.stringMatching(/^RpcConfigError: url is missing: /),
    expect.stringMatching(/^RpcConfigError: url is missing: /),
  ])
})
