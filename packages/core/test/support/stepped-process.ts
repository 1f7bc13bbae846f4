import { createEndpoint, memoryResultStore } from '@flashrpc/core/server'
import { stepClock } from './stepped-clock.js'

/** The methods of the server in a process. */
export interface Till {
  /** Tells the parent that it runs, and answers after so many ms. */
  charge(params: { order: string; ms?: number }): string
  /** Returns how much time its caller gives it, in ms; when that has passed, it tells the parent. */
  watch(params: object): Promise<number>
  /** How long the caller's credentials last, in ms. */
  whoAmI(params: object): number
}

/** The messages of the parent. */
export type Told = { readonly step: number }

/** The messages to the parent. */
export type Heard =
  | { readonly url: string }
  | { readonly stepped: number }
  | { readonly charged: string }
  | { readonly late: string }
  | { readonly ended: number }

/** A server in a process of its own, whose wall clock its parent sets. Arguments: `ttlMs`, and `windowMs` of sessions. */
const [ttlMs, windowMs] = process.argv.slice(2).map(Number)
const tell = (heard: Heard) => process.send?.(heard)

const endpoint = createEndpoint<Till, Record<never, never>, number>({
  // The client says how long its credentials last, in ms from now.
  authenticate: ({ url = '' }) => Number(new URLSearchParams(url.split('?')[1]).get('for') ?? 0),
  expiresAt: (forMs) => (forMs > 0 ? Date.now() + forMs : undefined),
  onDisconnect: [(_, { code }) => tell({ ended: code })],
  ...(windowMs !== undefined && { resume: { windowMs } }),
  idempotency: { store: memoryResultStore({ ttlMs: ttlMs as number }), scope: () => '' },
  methods: {
    charge: async ({ order, ms = 0 }) => {
      tell({ charged: order })
      await new Promise((resolve) => setTimeout(resolve, ms))
      return `receipt of ${order}`
    },
    whoAmI: (_, { identity }) => identity,
    watch: (_, { signal, timeLeft }) => {
      signal.addEventListener('abort', () => tell({ late: (signal.reason as Error).name }))
      return new Promise((resolve) => setTimeout(resolve, 100, timeLeft))
    },
  },
})
process.on('message', ({ step }: Told) => {
  stepClock(step)
  tell({ stepped: step })
})
tell({ url: (await endpoint.listen()).url })
