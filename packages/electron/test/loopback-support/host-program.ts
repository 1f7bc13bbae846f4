import { once } from 'node:events'
import { connect } from 'node:net'
import { createClient } from '@flashrpc/core'
import { createLoopback } from '@flashrpc/electron/loopback'

/** A host that opens a loopback, is used, and closes it: it ends by itself if nothing is left. */
const loopback = await createLoopback<{ ping(): string }>({
  origins: [],
  methods: { ping: () => 'pong' },
})
const client = createClient<{ ping(): string }>({ url: loopback.url, proxy: false })
await client.other.ping()
const silent = connect(loopback.port, '127.0.0.1')
await once(silent, 'connect')
await loopback.close()
await client.close()
process.send?.('closed')
process.disconnect?.()
