import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createClient } from '@flashrpc/core'
import { createEndpoint, type EndpointOptions } from '@flashrpc/core/server'

/** The methods of the server and of the client in a process. */
export interface Pressed {
  answer(params: { size: number }): string
  /** Answers the same, a turn later. */
  answerLater(params: { size: number }): string
  note(params: { n: number; text?: string }): void
}

/** What the parent process asks. */
export type Command =
  /** Become a server, or a client of the server at this address. */
  | { do: 'serve'; options: object }
  | { do: 'connect'; url: string }
  /** Notify the other side: so many times in all, in texts of so many characters, so many of them every `everyMs`. */
  | { do: 'notify'; size: number; times: number; at: number; everyMs: number }
  | { do: 'measure' }

export interface Measured {
  /** How many bytes are held. */
  heap: number
  /** The notes that came, in order. */
  heard: number[]
  /** The process's own notes: those that were sent or wait, and the kinds of errors of those that were refused. */
  sent: number[]
  refused: number
  refusals: string[]
  connected: number
}

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

const heard: number[] = []
const sent: number[] = []
const refusals = new Set<string>()
let refused = 0
let notify = (_n: number, _text: string): Promise<void>[] => []
let connected = () => 0

const methods = {
  answer: ({ size }: { size: number }) => 'x'.repeat(size),
  answerLater: async ({ size }: { size: number }) => {
    await new Promise((resolve) => setImmediate(resolve))
    return 'x'.repeat(size)
  },
  note: ({ n }: { n: number }) => {
    heard.push(n)
  },
}

async function serve(options: object): Promise<string> {
  const endpoint = createEndpoint<Pressed, Pressed>({
    ...(options as Partial<EndpointOptions<Pressed, Pressed>>),
    onError: [() => {}],
    methods,
  })
  notify = (n, text) =>
    [...endpoint.channels].map((channel) => channel.notify('note', { n, text: text + n }))
  connected = () => [...endpoint.channels].filter(({ isConnected }) => isConnected).length
  return (await endpoint.listen()).url
}

async function connect(url: string): Promise<string> {
  const client = createClient<Pressed, Pressed>({
    url,
    methods,
    onError: [() => {}],
    retry: { minDelayMs: 20, maxDelayMs: 50 },
  })
  notify = (n, text) => [client.notify('note', { n, text: text + n })]
  connected = () => Number(client.state.status === 'connected')
  await client.connect()
  return url
}

async function notifyOften({ size, times, at, everyMs }: Extract<Command, { do: 'notify' }>) {
  const text = 'x'.repeat(size)
  for (let n = 0; n < times; n++) {
    for (const told of notify(n, text)) {
      told.then(
        () => sent.push(n),
        ({ name, outcome }: { name: string; outcome: string }) => {
          refused++
          refusals.add(`${name} ${outcome}`)
        },
      )
    }
    if (n % at === at - 1) await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}

function measured(): Measured {
  gc()
  const { heapUsed, external } = process.memoryUsage()
  return {
    heap: heapUsed + external,
    heard,
    sent: sent.toSorted((one, other) => one - other),
    refused,
    refusals: [...refusals],
    connected: connected(),
  }
}

process.on('message', async (command: Command) => {
  if (command.do === 'serve') process.send?.(await serve(command.options))
  else if (command.do === 'connect') process.send?.(await connect(command.url))
  else if (command.do === 'measure') process.send?.(measured())
  else {
    await notifyOften(command)
    process.send?.('notified')
  }
})
process.on('disconnect', () => process.exit())
process.send?.('ready')
