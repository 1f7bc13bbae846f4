import { natsResultStore } from '@flashrpc/nats'
import { connect } from '@nats-io/transport-node'

/** Begins a call with a key, and goes on for ever. Arguments: the server, the bucket, the key. */
const [servers = '', bucket = '', key = ''] = process.argv.slice(2)
const store = await natsResultStore(await connect({ servers }), { bucket })
await store.begin(key, 'f')
process.send?.('begun')
