export type { IoredisLike } from './ioredis-connection.js'
export type { BufferListener, NodeRedisLike } from './node-redis-connection.js'
export type { RedisClient } from './redis-client.js'
export { type RedisEngineOptions, redisEngine } from './redis-engine.js'
export {
  type RedisResultStore,
  type RedisResultStoreOptions,
  redisResultStore,
} from './redis-result-store.js'
