import { redisEngine } from '@flashrpc/redis'
import { Redis } from 'ioredis'
import { afterAll, describe } from 'vitest'
import { redisProgram, startRedis } from '../../../scripts/engine-servers/redis-server.js'
import { describeGroupCalls } from '../../core/test/support/suite/describe-group-calls.js'

const why = redisProgram.missing ? ` (skipped: ${redisProgram.missing})` : ''

describe.skipIf(redisProgram.missing)(`a cluster over Redis${why}`, () => {
  const ends: (() => unknown)[] = []
  afterAll(async () => {
    for (const end of ends.reverse()) await end()
  })

  describeGroupCalls('Redis', async () => {
    const server = await startRedis()
    ends.push(() => server[Symbol.asyncDispose]())
    return () => {
      const publisher = new Redis({ host: '127.0.0.1', port: server.port })
      const subscriber = publisher.duplicate()
      for (const client of [publisher, subscriber]) ends.push(() => client.disconnect())
      return redisEngine({ publisher, subscriber })
    }
  })
})
