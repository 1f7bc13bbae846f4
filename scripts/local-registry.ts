import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A registry for npm, which offers what was packed. */
export interface LocalRegistry extends AsyncDisposable {
  /** Its address, for npm's setting `@scope:registry`. */
  readonly url: string
}

/**
 * Offers tarballs as a registry does, each as the only version of its package.
 *
 * @param upstream the address of the registry that has all other packages; without one, there are no others.
 */
export async function serveRegistry(
  tarballs: readonly string[],
  upstream?: string,
): Promise<LocalRegistry> {
  const server = createServer(({ url: path = '' }, response) => {
    const answer = answers.get(decodeURIComponent(path))
    if (!answer && upstream !== undefined) {
      response.writeHead(307, { Location: `${upstream.replace(/\/$/, '')}${path}` }).end()
      return
    }
    if (!answer) response.statusCode = 404
    // The next registry on this port may offer another build of the same version.
    response.setHeader('Cache-Control', 'no-store')
    response.end(answer)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const answers = new Map<string, string | Buffer>()
  for (const tarball of tarballs) {
    const content = readFileSync(tarball)
    const manifest = manifestOf(tarball)
    const { name, version } = manifest
    const path = `/${name}/-/${version}.tgz`
    const integrity = `sha512-${createHash('sha512').update(content).digest('base64')}`
    const dist = { tarball: `${url}${path}`, integrity }
    const versions = { [version]: { ...manifest, dist } }
    answers.set(path, content)
    answers.set(`/${name}`, JSON.stringify({ name, 'dist-tags': { latest: version }, versions }))
  }
  return {
    url: `${url}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function manifestOf(tarball: string): { name: string; version: string } {
  const text = execFileSync('tar', ['-xzOf', tarball, 'package/package.json'], { encoding: 'utf8' })
  return JSON.parse(text) as { name: string; version: string }
}
