import { once } from 'node:events'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'

/** Starts a worker thread in TypeScript. Node itself runs none: `tsx` does. */
export async function startWorker(url: URL): Promise<Worker> {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm/api')).href
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
