import { redisResultStore } from '@flashrpc/redis'
import { Redis } from 'ioredis'

/** Begins a call with a key, and goes on for ever. Arguments: the server's port, the app, the key. */
const [port = '', app = '', key = ''] = process.argv.slice(2)
const store = await redisResultStore(new Redis(Number(port)), { app })
await store.begin(key, 'f')
process.send?.('begun')
