import { once } from 'node:events'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'

/** Starts a worker thread in TypeScript. Node itself runs none: `tsx` does. */
export async function startWorker(url: URL): Promise<Worker> {
  // As an ES module: what is for `require` finds its own hooks only in some kinds of threads.
  const api = createRequire(import.meta.url)
    .resolve('tsx/esm/api')
    .replace(/\.cjs$/, '.mjs')
  const tsx = pathToFileURL(api).href
  const worker = new Worker(
    `import(${JSON.stringify(tsx)}).then(({ register }) => {
      register()
      return import(${JSON.stringify(url.href)})
    })`,
    { eval: true, execArgv: ['--conditions', '@flashrpc/source'] },
  )
  await once(worker, 'online')
  return worker
}
