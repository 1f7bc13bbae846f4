import { RpcError } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { contract } from './contract.js'

const saved = new Map<string, Uint8Array<ArrayBuffer>>()

const endpoint = createEndpoint(contract, {
  methods: {
    async save({ files }, { channel }) {
      let size = 0
      for (const { name, content } of files) {
        const signature = await channel.other.sign({ document: content })
        saved.set(name, content).set(`${name}.signature`, signature)
        size += content.byteLength
      }
      return size
    },
    load({ name }) {
      const content = saved.get(name)
      if (!content) throw new RpcError(4004, 'No such file', { name })
      return { name, content }
    },
  },
  limits: { message: 16 * 1024 * 1024 },
})

const { url } = await endpoint.listen({ port: Number(process.env.PORT ?? 8000), path: '/ws' })
console.log(`listening on ${url}`)
