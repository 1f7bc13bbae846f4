import { createEndpoint, memoryResultStore } from '@flashrpc/core/server'
import { stepClock } from './stepped-clock.js'

/** What the server of a process can be called for. */
export interface Till {
  /** Says to the parent that it charges, and answers after so many ms. */
  charge(params: { order: string; ms?: number }): string
  /** How much time its caller leaves it, in ms; when that is over, it says so to the parent. */
  watch(params: object): Promise<number>
  /** How long the credentials are that the caller came with. */
  whoAmI(params: object): number
}

/** What the parent says. */
export type Told = { readonly step: number }

/** What the parent is told. */
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
  // How long its credentials are, as the client says: in ms from now.
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
