import { natsEngine } from '@flashrpc/nats'
import { afterAll, describe } from 'vitest'
import { natsProgram, startNats } from '../../../scripts/engine-servers/nats-server.js'
import { describeGroupCalls } from '../../core/test/support/suite/describe-group-calls.js'

const why = natsProgram.missing ? ` (skipped: ${natsProgram.missing})` : ''

describe.skipIf(natsProgram.missing)(`a cluster over NATS${why}`, () => {
  const ends: (() => unknown)[] = []
  afterAll(async () => {
    for (const end of ends.reverse()) await end()
  })

  describeGroupCalls('NATS', async () => {
    const server = await startNats()
    ends.push(() => server[Symbol.asyncDispose]())
    return () => natsEngine({ servers: server.address })
  })
})
