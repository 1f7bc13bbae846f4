import { expect, test } from 'vitest'
import { run } from './support/cli.js'
import { contract, serve } from './support/serve.js'

test('prints the document, in one line for programs', async () => {
  await using server = await serve()
  const { code, stdout } = await run(['discover', server.url])
  expect(code).toBe(0)
  expect(stdout.trimEnd()).not.toContain('\n')
  const document = JSON.parse(stdout)
  expect(document.openrpc).toBe('1.3.2')
  expect(document.methods.map(({ name }: { name: string }) => name)).toEqual(
    Object.keys(contract.server),
  )
  const pretty = await run(['discover', server.url, '--pretty'])
  expect(pretty.stdout).toContain('\n')
  expect(JSON.parse(pretty.stdout)).toEqual(document)
})

test('lists the methods, a line each', async () => {
  await using server = await serve()
  const { stdout } = await run(['discover', server.url, '--methods'])
  expect(stdout.split('\n').slice(0, 1)).toEqual([
    '{"name":"add","kind":"method","params":["a","b"]}',
  ])
  const pretty = await run(['discover', server.url, '--methods', '--pretty'])
  expect(pretty.stdout).toBe(`add(a: number, b: number): number
fail(data: any): any
hang(): any
work(): string
bytes(bytes: any): any
headers(): any
charge(): number
count(to: number, everyMs: number): stream of number
sum(): number
first(): number
doubled(): stream of number
silent(): stream of number
log(text?: string)  (notification)
color(name?: "red" | "blue"): any
`)
})

test('exits with 1 where the server tells nothing', async () => {
  await using server = await serve({ discover: false })
  const { code, stdout, stderr } = await run(['discover', server.url])
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toContain('-32601')
  // What to do about it, at the server.
  expect(stderr).toContain('discover: true')
  const { stderr: json } = await run(['discover', server.url, '--json'])
  expect(JSON.parse(json).error).toMatchObject({
    code: -32601,
    method: 'rpc.discover',
    message: expect.stringContaining('discover: true'),
  })
})
