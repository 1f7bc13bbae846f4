import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { run } from './support/cli.js'

const manifest = new URL('../package.json', import.meta.url)

test('says its version', async () => {
  const { version } = JSON.parse(readFileSync(manifest, 'utf8'))
  expect(await run(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
})

test.each(['call', 'listen', 'discover', 'bench'])('has help for %s', async (command) => {
  for (const args of [
    [command, '--help'],
    ['help', command],
  ]) {
    const { code, stdout, stderr } = await run(args)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(`Usage: flashrpc ${command} [options] <url>`)
    expect(stdout).toContain('Exit codes: 0 done')
  }
})

test('says what there is where nothing is asked for, or what there is not', async () => {
  expect(await run([])).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('Usage: flashrpc'),
  })
  const unknown = await run(['cal', '--json'])
  expect(unknown).toMatchObject({ code: 2, stdout: '' })
  expect(JSON.parse(unknown.stderr).error).toMatchObject({
    name: 'UsageError',
    message: expect.stringContaining("unknown command 'cal'"),
  })
})
