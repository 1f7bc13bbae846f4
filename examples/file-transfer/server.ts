import { msgpackCodec } from '@flashrpc/core/msgpack'
import { createEndpoint } from '@flashrpc/core/server'
import { contract } from './contract.js'
import { openFileStore } from './file-store.js'
import { watchMemory } from './memory.js'
import { formatSize } from './sizes.js'

const store = await openFileStore()

const endpoint = createEndpoint(contract, {
  codec: msgpackCodec,
  // A transfer outlives its connection, and goes on over the next.
  resume: {},
  // Each client may send as fast as it can: others wait no longer for it than for the disk.
  limits: { bytesPerSecond: Number.POSITIVE_INFINITY },
  methods: {
    async upload({ name, size }, { input }) {
      console.log(`${name}: upload begins`)
      let received = 0
      async function* counted() {
        for await (const chunk of input) {
          received += chunk.byteLength
          yield chunk
        }
      }
      try {
        return await store.write(name, size, counted())
      } finally {
        console.log(`${name}: upload ends after ${received} of ${size} bytes`)
      }
    },
    describe: ({ name }) => store.describe(name),
    async *download({ name }) {
      const { size } = store.describe(name)
      console.log(`${name}: download begins`)
      let sent = 0
      try {
        for await (const chunk of store.read(name)) {
          yield chunk
          sent += chunk.byteLength
        }
      } finally {
        // Whoever asked may have gone away.
        console.log(`${name}: download ends after ${sent} of ${size} bytes`)
      }
    },
  },
})

const memory = watchMemory()
const { url } = await endpoint.listen({ port: Number(process.env.PORT ?? 8000), path: '/files' })
console.log(`files in ${store.folder}`)
console.log(`listening on ${url}`)

async function close(): Promise<void> {
  await endpoint.close()
  await store[Symbol.asyncDispose]()
  console.log(`memory grew by ${formatSize(memory.growth)} at the most`)
  process.exit()
}
process.once('SIGINT', close)
process.once('SIGTERM', close)
// Whoever started it, as a program, is gone.
process.once('disconnect', close)
