import {
  type Client,
  createClient,
  RpcDisconnectedError,
  RpcError,
  type RpcStream,
} from '@flashrpc/core'
import { contract } from './contract.js'

/** Calls of a contract, right ones and wrong ones, whatever `strict` is. */

export const client: Client<typeof contract.client, typeof contract.server> = createClient(
  contract,
  {
    url: 'ws://127.0.0.1:8000',
    autoConnect: false,
    methods: {
      confirm: ({ text }, { channel, signal }) => {
        void channel.other.log({ line: text.trim() }, { signal })
        return 'yes'
      },
      shape: () => ({ kind: 'circle', sides: ['a'] }),
      toast: ({ text }) => void text.trim(),
    },
  },
)

const { other } = client
export const sum: Promise<number> = other.add({ a: 1, b: 2 }, { timeout: 5_000 })
export const byName: Promise<number> = client.call('add', { a: 1, b: 2 })
export const color: Promise<'red' | 'green'> = other.color()
export const anything: Promise<unknown> = other.ping()
export const logged: Promise<void> = other.log({ line: 'x' })
export const ticks: RpcStream<{ sound: 'tick' | 'tock' }> = other.ticks({ everyMs: 100 })
export const ticksByName: RpcStream<{ sound: 'tick' | 'tock' }> = client.stream('ticks', {
  everyMs: 100,
})
export const uploaded: Promise<number> = other.upload(
  { name: 'x' },
  { input: [{ line: 'x' }], onProgress: ({ percent }) => percent.toFixed(1) },
)

export async function read(): Promise<number> {
  let count = 0
  for await (const { sound } of other.ticks({ everyMs: 100 })) count += sound.length
  try {
    return count + (await other.add({ a: 1, b: 2 }))
  } catch (error) {
    if (error instanceof RpcDisconnectedError) return error.outcome.length
    if (error instanceof RpcError) return error.code
    throw error
  } finally {
    await client.close()
  }
}

client.expose('confirm', ({ text }) => (text === '' ? 'no' : 'yes'))
client.expose('shape', () => ({ kind: 'square', sides: ['a', 'b'] }))
client.expose('shape', async () => ({ kind: 'square', sides: ['a', 'b'] }))
client.expose('shape', () => {
  const count = [{ n: 1 }].reduce((sum, { n }) => sum + n, 0)
  return { kind: count > 1 ? 'square' : 'circle', sides: [] }
})
client.subscribe(({ status, lastError }) => console.log(status, lastError?.message))

// @ts-expect-error: there is no such method
void other.sub({ a: 1, b: 2 })
// @ts-expect-error: it is a method of the other side
void other.confirm({ text: '' })
// @ts-expect-error: a param of a wrong type
void other.add({ a: 1, b: '2' })
// @ts-expect-error: an unknown param
void other.add({ a: 1, b: 2, c: 3 })
// @ts-expect-error: it takes no params
void other.color({ a: 1 })
// @ts-expect-error: it takes no input
void other.add({ a: 1, b: 2 }, { input: [] })
// @ts-expect-error: the input is required
void other.upload({ name: 'x' }, {})
// @ts-expect-error: an item of a wrong type
void other.upload({ name: 'x' }, { input: [{ line: 5 }] })
// @ts-expect-error: an item has no such member
for await (const { loudness } of other.ticks({ everyMs: 100 })) console.log(loudness)
// @ts-expect-error: a notification is not answered
void client.call('log', { line: '' })
// @ts-expect-error: a wrong answer
client.expose('confirm', () => 'maybe')
// @ts-expect-error: a wrong answer
client.expose('confirm', async () => 'maybe')
// @ts-expect-error: a wrong literal inside an answer
client.expose('shape', () => ({ kind: 'triangle', sides: [] }))
// @ts-expect-error: a wrong literal inside a list
client.expose('shape', async () => ({ kind: 'circle', sides: ['c'] }))
// @ts-expect-error: there is no such method on this side
createClient(contract, { url: 'ws://127.0.0.1', methods: { sub: () => 1 } })
// @ts-expect-error: a wrong answer
createClient(contract, { url: 'ws://127.0.0.1', methods: { confirm: () => 'maybe' } })
