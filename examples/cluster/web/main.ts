import { createClient, RpcError } from '@flashrpc/core'
import { contract } from '../contract.js'

/** Where server.ts listens; `?server=ws://…` names another place. */
const url = new URLSearchParams(location.search).get('server') ?? 'ws://127.0.0.1:8000/ws'

const client = createClient(contract, {
  url,
  retry: { minDelayMs: 50, maxDelayMs: 1_000 },
  methods: {
    hear({ node, text }) {
      log(`${text} (said on ${node})`)
      return 'heard'
    },
  },
})

client.subscribe(({ status }) => show('status', status))

document.getElementById('say')?.addEventListener('submit', (event) => {
  event.preventDefault()
  const form = event.target as HTMLFormElement
  const text = String(new FormData(form).get('text'))
  form.reset()
  client.other.say({ text }).then(
    (heard) => log(`${heard} clients have heard it`),
    (error: unknown) => log(inWords(error)),
  )
})

let gaps = 0
for (;;) {
  try {
    const { node, session } = await client.other.whereAmI()
    show('node', node)
    show('session', session)
    let next = 0
    // It goes on over one connection after another, through whichever node.
    for await (const n of client.other.count()) {
      if (n !== next) show('gaps', String(++gaps))
      next = n + 1
      show('count', String(n))
    }
  } catch (error) {
    // The node of the session is dead: the next round begins another session.
    log(inWords(error))
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

function inWords(error: unknown): string {
  if (!(error instanceof RpcError)) return String(error)
  return 'outcome' in error ? `${error.message} (${error.outcome})` : error.message
}

function show(id: string, text: string): void {
  const element = document.getElementById(id)
  if (element) element.textContent = text
}

function log(text: string): void {
  const entry = document.createElement('li')
  entry.textContent = text
  document.getElementById('log')?.append(entry)
}
