import { type Channel, type Handlers, RpcDisconnectedError, RpcError } from '@flashrpc/core'
import type { contract } from './contract.js'

type Server = typeof contract.server
type ServerChannel = Channel<Server, typeof contract.client>

/** Counts from 0, for ever or up to a number; `ended` is told when nobody counts any more. */
export async function* count(upTo = Number.POSITIVE_INFINITY, ended: () => void = () => {}) {
  try {
    for (let n = 0; n < upTo; n++) yield n
  } finally {
    ended()
  }
}

/** The serving end of the transports' suite, wherever it runs: each call is for one more channel. */
export function createSuiteMethods(): () => Handlers<Server, ServerChannel> {
  const fates = new Map<string, string[]>()
  const tell = (key: string, fate: string) => fates.set(key, [...(fates.get(key) ?? []), fate])
  return () => {
    const notes: number[] = []
    return {
      add: ({ a, b }) => a + b,
      fail: ({ code, message, data }) => {
        throw new RpcError(code, message, data)
      },
      descend: async ({ depth }, { channel }) =>
        depth === 0 ? 'bottom' : channel.other.descend({ depth: depth - 1 }),
      sumOfDoubles: async ({ upTo }, { channel }) => {
        const numbers = Array.from({ length: upTo }, (_, index) => index + 1)
        const doubles = await Promise.all(numbers.map((n) => channel.other.double({ n })))
        return doubles.reduce((a, b) => a + b, 0)
      },
      note: ({ n }) => void notes.push(n),
      notes: () => notes,
      tell: async ({ times }, { channel }) => {
        for (let n = 0; n < times; n++) await channel.other.note({ n })
      },
      hang: ({ key }, { signal }) =>
        new Promise(() => {
          tell(key, 'began')
          signal.addEventListener('abort', () => tell(key, 'aborted'))
        }),
      askHang: async ({ key }, { channel }) => {
        try {
          await channel.other.hang({ key })
        } catch (error) {
          const { outcome } = error as RpcDisconnectedError
          tell(key, `${error instanceof RpcDisconnectedError}:${outcome}`)
        }
      },
      count: ({ upTo, key }, { signal }) =>
        count(upTo, () => key !== undefined && tell(key, signal.aborted ? 'aborted' : 'ended')),
      sumOfCount: async ({ upTo }, { channel }) => {
        let sum = 0
        for await (const n of channel.other.count({ upTo })) sum += n
        return sum
      },
      sum: async ({ most = Number.POSITIVE_INFINITY }, { input }) => {
        let sum = 0
        let taken = 0
        for await (const n of input) {
          sum += n
          if (++taken === most) break
        }
        return sum
      },
      shout: async function* (_, { input }) {
        for await (const text of input) yield text.toUpperCase()
      },
      fates: ({ key }) => fates.get(key) ?? [],
      leave: (_, { channel }) => void channel.close(),
      files: {
        reverse: ({ bytes }) => bytes.slice().reverse(),
        lines: {
          count: ({ upTo }) => count(upTo),
          shout: async function* (_, { input }) {
            for await (const text of input) yield text.toUpperCase()
          },
          mark: ({ key }) => void tell(key, 'marked'),
          ask: async ({ text }, { channel }) => channel.other.view.dialogs.ask({ text }),
        },
      },
    }
  }
}
