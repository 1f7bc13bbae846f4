import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPageFiles } from '../src/desktop/page-files.ts'

let base: string
let answer: (request: Request) => Promise<Response>

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'flashrpc-page-'))
  const web = join(base, 'web')
  await mkdir(join(web, 'assets'), { recursive: true })
  await writeFile(join(web, 'desktop.html'), '<p>page</p>')
  await writeFile(join(web, 'favicon.svg'), '<svg/>')
  await writeFile(join(web, 'assets/page-1.js'), 'script')
  await writeFile(join(web, 'assets/page-1.css'), 'style')
  await writeFile(join(web, 'assets/page-1.js.map'), 'map')
  await writeFile(join(web, 'notes.txt'), 'notes')
  await writeFile(join(base, 'secret.html'), 'secret')
  await writeFile(join(base, 'secret.js'), 'secret')
  await symlink(join(base, 'secret.html'), join(web, 'link.html'))
  await symlink(base, join(web, 'up'))
  answer = await createPageFiles(web)
})

afterAll(() => rm(base, { recursive: true }))

/** A request as Electron makes it; Node's own would rewrite some addresses first. */
function ask(url: string, method = 'GET'): Promise<Response> {
  return answer({ url, method } as Request)
}

describe('the files of the page', () => {
  test.each([
    ['app://demo/', 'text/html; charset=utf-8', '<p>page</p>'],
    ['app://demo/?anything#there', 'text/html; charset=utf-8', '<p>page</p>'],
    ['app://demo/desktop.html', 'text/html; charset=utf-8', '<p>page</p>'],
    ['app://demo/assets/page-1.js', 'text/javascript; charset=utf-8', 'script'],
    ['app://demo/assets/page-1.css', 'text/css; charset=utf-8', 'style'],
    ['app://demo/favicon.svg', 'image/svg+xml', '<svg/>'],
  ])('%s is served as %s', async (url, type, content) => {
    const response = await ask(url)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe(type)
    expect(await response.text()).toBe(content)
  })

  test.each([
    'app://demo/../secret.html',
    'app://demo/assets/../../secret.html',
    'app://demo/..%2fsecret.html',
    'app://demo/%2e%2e/secret.html',
    'app://demo/%2e%2e%2fsecret.js',
    'app://demo/..\\secret.html',
    'app://demo/..%5csecret.html',
    'app://demo//secret.html',
    'app://demo/up/secret.html',
    'app://demo/link.html',
    'app://demo/desktop.html\0.js',
    'app://demo/desktop.html%00',
    'app://demo/%',
    'app://demo/assets',
    'app://demo/assets/',
    'app://demo/notes.txt',
    'app://demo/assets/page-1.js.map',
    'app://demo/__proto__',
    'app://demo',
    'app://other/desktop.html',
    'app://demo.example/desktop.html',
    'app://demo@other/desktop.html',
    'http://demo/desktop.html',
    'file:///etc/passwd',
    '',
  ])('%j is refused', async (url) => {
    const response = await ask(url)
    expect(response.status).toBe(404)
    expect(await response.text()).toBe('There is no such file\n')
  })

  test('are read, and nothing else', async () => {
    const head = await ask('app://demo/', 'HEAD')
    expect([head.status, await head.text()]).toEqual([200, ''])
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      expect((await ask('app://demo/', method)).status).toBe(405)
    }
  })

  test('may do nothing but run the page, refusals included', async () => {
    for (const url of ['app://demo/', 'app://demo/missing']) {
      const { headers } = await ask(url)
      const policy = headers.get('content-security-policy') ?? ''
      expect(policy).toContain("default-src 'none'")
      expect(policy).toContain("script-src 'self'")
      expect(policy).not.toMatch(/unsafe|connect-src|\*|https?:/)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
    }
  })

  test('that are gone since are refused', async () => {
    const folder = await mkdtemp(join(base, 'gone-'))
    await writeFile(join(folder, 'desktop.html'), 'page')
    const stale = await createPageFiles(folder)
    await rm(join(folder, 'desktop.html'))
    expect((await stale({ url: 'app://demo/', method: 'GET' } as Request)).status).toBe(404)
  })
})
