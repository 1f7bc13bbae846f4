import type { PeerClient } from './peer.ts'

/** What one client is to do. */
export type Load =
  /** So many calls, so many of them in flight. */
  | {
      readonly kind: 'add' | 'echo' | 'bytes'
      readonly calls: number
      readonly inFlight: number
      readonly size: number
    }
  /** So many calls in one turn, so many times. */
  | { readonly kind: 'burst'; readonly calls: number; readonly times: number }
  /** One after another: how long each takes. */
  | { readonly kind: 'serial'; readonly calls: number }

export interface LoadResult {
  readonly calls: number
  /** In ms. */
  readonly time: number
  /** Of each call, in ms; of `serial` only. */
  readonly times?: readonly number[]
}

/** Does it, and looks at every answer. */
export async function runLoad(client: PeerClient, load: Load): Promise<LoadResult> {
  if (load.kind === 'burst') return burst(client, load.calls, load.times)
  if (load.kind === 'serial') return serial(client, load.calls)
  const call = callOf(client, load.kind, load.size)
  let left = load.calls
  const loop = async (): Promise<void> => {
    while (left-- > 0) await call(left)
  }
  const begin = performance.now()
  await Promise.all(Array.from({ length: load.inFlight }, loop))
  return { calls: load.calls, time: performance.now() - begin }
}

function callOf(client: PeerClient, kind: 'add' | 'echo' | 'bytes', size: number) {
  if (kind === 'add') return (n: number) => add(client, n)
  if (kind === 'echo') {
    const value = documentOf(size)
    return async () => {
      const answer = (await client.echo(value)) as typeof value
      if (answer.rows.length !== value.rows.length) throw new Error('echo gave something else')
    }
  }
  const bytes = new Uint8Array(size).map((_, index) => index)
  return async () => {
    const answer = await client.bytes?.(bytes)
    if (answer?.byteLength !== size || answer[size - 1] !== bytes[size - 1]) {
      throw new Error('bytes gave something else')
    }
  }
}

async function add(client: PeerClient, n: number): Promise<void> {
  const sum = await client.add(n, 1)
  if (sum !== n + 1) throw new Error(`${n} + 1 is not ${sum}`)
}

async function burst(client: PeerClient, calls: number, times: number): Promise<LoadResult> {
  const begin = performance.now()
  for (let time = 0; time < times; time++) {
    await Promise.all(Array.from({ length: calls }, (_, n) => add(client, n)))
  }
  return { calls: calls * times, time: performance.now() - begin }
}

async function serial(client: PeerClient, calls: number): Promise<LoadResult> {
  const times: number[] = []
  const begin = performance.now()
  for (let n = 0; n < calls; n++) {
    const before = performance.now()
    await add(client, n)
    times.push(performance.now() - before)
  }
  return { calls, time: performance.now() - begin, times }
}

/** Rows of text and numbers, of about so many characters as JSON. */
function documentOf(size: number) {
  const row = (n: number) => ({ id: n, name: `item ${n}`, tags: ['new', 'blue'], price: n * 1.25 })
  const each = JSON.stringify(row(100)).length + 1
  return { rows: Array.from({ length: Math.max(1, Math.round(size / each)) }, (_, n) => row(n)) }
}
