import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Build } from '../../../bench/builds.ts'
import { contractOf } from '../contract.ts'
import { Coverage } from '../coverage.ts'
import { answerParent, optionsOf, type ServerOptions } from '../side.ts'

/** The server of a walk. */

const { folder, covered, hasSessions } = optionsOf<ServerOptions>()
const build = new Build(folder)
const { createEndpoint } = await build.server()
const http = createServer()
const clock = new EventEmitter()
const endpoint = createEndpoint(contractOf(await build.core()), {
  ...(hasSessions && { resume: {} }),
  methods: {
    add: ({ a, b }) => a + b,
    /** Answers over the next connection. */
    async slow() {
      await once(http, 'connection')
      return sleep(300, 'late')
    },
    async *count({ n }) {
      for (let item = 0; item < n; item++) {
        yield item
        await sleep(20)
      }
    },
    async *ticks() {
      for (let item = 0; ; item++) {
        yield item
        await once(clock, 'tick')
      }
    },
  },
})
endpoint.attach(http)
const coverage = new Coverage(covered)

answerParent({
  async listen() {
    await once(http.listen(0, '127.0.0.1'), 'listening')
    return `ws://127.0.0.1:${(http.address() as AddressInfo).port}`
  },
  start: () => coverage.start(),
  tick: () => clock.emit('tick'),
  stop: () => coverage.stop(),
})
