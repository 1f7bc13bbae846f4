import { setTimeout as sleep } from 'node:timers/promises'
import { Build } from '../../../bench/builds.ts'
import { contractOf } from '../contract.ts'
import { Coverage, type CoveredScript } from '../coverage.ts'
import { answerParent, type ClientOptions, optionsOf } from '../side.ts'

/** The client of a walk, and what it does in it. */

const { folder, covered, url, walk } = optionsOf<ClientOptions>()
const core = await new Build(folder).core()
const client = core.createClient(contractOf(core), { url, heartbeat: false })
const coverage = new Coverage(covered)

interface Act {
  /** What comes before it, and is not counted. */
  before?(): Promise<unknown>
  run(): Promise<unknown>
}

function call(): Act {
  return { run: () => client.other.add({ a: 5, b: 10 }) }
}

function item(): Act {
  const items = client.other.ticks()[Symbol.asyncIterator]()
  return {
    before: () => items.next(),
    run: () => items.next(),
  }
}

/** The connection is cut while a call waits for its answer, which comes over the next one. */
function resume(): Act {
  let cut: (reason: string) => void
  let answer: Promise<string>
  return {
    async before() {
      client.tap({
        connected(wire) {
          cut = wire.cut
          return {
            send: (frame) => wire.send(frame),
            receive: (frame) => wire.receive(frame),
            ended() {},
          }
        },
      })
      answer = client.other.slow()
      await sleep(50)
    },
    async run() {
      cut('for the walk')
      client.reconnect()
      await answer
    },
  }
}

let walked: Promise<CoveredScript[]>
const act = { call, item, resume }[walk]()

answerParent({
  async prepare() {
    await client.connect()
    // What is done for the first time only is no part of a walk.
    for (let n = 0; n < 5; n++) await client.other.add({ a: n, b: 1 })
    for await (const _ of client.other.count({ n: 3 }));
    // Nor are the timers of that.
    await sleep(1_300)
    await act.before?.()
  },
  /** Is answered when the walk has begun. */
  begin() {
    coverage.start()
    walked = act.run().then(() => coverage.stop())
    return true
  },
  end: () => walked,
})
