import { type Client, createClient } from '@flashrpc/core'

/** Peers without a contract: interfaces of plain functions. */

interface Server {
  add(params: { a: number; b: number }): number
  color(): Promise<'red' | 'green'>
  ticks(params: { everyMs: number }): AsyncIterable<number>
  log?(params: { line: string }): void
}

interface Page {
  confirm(params: { text: string }): 'yes' | 'no'
  shape(): { kind: 'circle' | 'square'; sides: ('a' | 'b')[] }
}

export const client: Client<Page, Server> = createClient<Server, Page>({
  url: 'ws://127.0.0.1:8000',
  methods: {
    confirm: ({ text }, { channel }) => {
      void channel.other.add({ a: text.length, b: 1 })
      return 'yes'
    },
    shape: () => ({ kind: 'circle', sides: ['a'] }),
  },
})
export const sum: Promise<number> = client.other.add({ a: 1, b: 2 })
export const color: Promise<'red' | 'green'> = client.other.color()
void client.other.log?.({ line: 'x' })
client.expose('shape', async () => ({ kind: 'square', sides: ['a', 'b'] }))

export async function read(): Promise<void> {
  for await (const n of client.stream('ticks', { everyMs: 1 })) console.log(n.toFixed())
}

// @ts-expect-error: there is no such function
void client.other.sub()
// @ts-expect-error: a param of a wrong type
void client.other.add({ a: 1, b: '2' })
// @ts-expect-error: a stream is called by its name
void client.other.ticks({ everyMs: 1 })
// @ts-expect-error: a wrong answer
client.expose('confirm', () => 'maybe')
// @ts-expect-error: a wrong literal inside an answer
client.expose('shape', () => ({ kind: 'triangle', sides: [] }))
