import { defineContract, method, notification, stream } from '@flashrpc/core'
import { z } from 'zod'

export const role = z.enum(['researcher', 'writer'])
export type Role = z.infer<typeof role>

const topic = z.object({ topic: z.string() })

/** The orchestrator is the server. The agents are its clients, and it calls them. */
export const contract = defineContract({
  server: {
    /** An agent says what it can do, each time it connects. */
    join: method({ params: z.object({ role }), result: z.void() }),
    /** An agent says what it does. */
    note: notification({ params: z.object({ role, text: z.string() }) }),
    /** An agent that works asks a question. */
    clarify: method({ params: z.object({ question: z.string() }), result: z.string() }),
    /** Lets the agents make a report. Its progress is what they have found so far. */
    report: method({ params: topic, result: z.string(), progress: z.string() }),
  },
  client: {
    /** The researcher's findings, each as soon as it is found. It may be called twice for one report. */
    research: stream({ params: topic, item: z.string() }),
    /** The writer's text. It may be called twice for one report. */
    write: method({ params: topic.extend({ findings: z.array(z.string()) }), result: z.string() }),
    /** The orchestrator says something to all agents. */
    announce: notification({ params: z.object({ text: z.string() }) }),
  },
})
