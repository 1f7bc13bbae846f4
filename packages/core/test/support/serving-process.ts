import { createEndpoint } from '@flashrpc/core/server'

/** A server in a process of its own, which tells its parent where it listens. */
const endpoint = createEndpoint<{ ping(): string }>({ methods: { ping: () => 'pong' } })
const { url } = await endpoint.listen()
process.send?.(url)
