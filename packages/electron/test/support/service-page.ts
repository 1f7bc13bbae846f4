import { createClient } from '@flashrpc/core'
import { electronTransport } from '@flashrpc/electron/renderer'
import { discover } from './discover.js'
import { service } from './service.js'

const told: string[] = []
const db = createClient(service, {
  transport: electronTransport({ name: 'db' }),
  retry: { minDelayMs: 20, maxDelayMs: 100 },
  methods: { title: () => document.title, told: ({ text }) => told.push(text) },
})

declare global {
  var piped: { db: typeof db; told: typeof told; discover: typeof discover }
}
Object.assign(globalThis, { piped: { db, told, discover } })
