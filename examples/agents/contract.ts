import { defineContract, method, notification } from '@flashrpc/core'
import { z } from 'zod'

export const role = z.enum(['research', 'analysis'])
export type Role = z.infer<typeof role>

/** The orchestrator serves; agents are its clients, and it calls them. */
export const contract = defineContract({
  server: {
    /** An agent says what it can do, each time it connects. */
    enlist: method({ params: z.object({ role }), result: z.void() }),
    /** An agent at work asks a question back. */
    clarify: method({ params: z.object({ question: z.string() }), result: z.string() }),
    /** An agent at work tells how far it is, from 0 to 1. */
    progress: notification({ params: z.object({ role, done: z.number() }) }),
  },
  client: {
    /** The same task may be given twice: an agent's work leaves nothing behind. */
    work: method({ params: z.object({ task: z.string() }), result: z.string() }),
  },
})
