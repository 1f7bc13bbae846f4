import { createEndpoint } from '@flashrpc/core/server'
import { contract } from './contract.ts'

const news: string[] = []

const endpoint = createEndpoint(contract, {
  methods: {
    publish({ text }) {
      const number = news.push(text)
      console.log(`${number}: ${text}`)
      return number
    },
  },
})
const { url } = await endpoint.listen({ port: 8000, path: '/ws' })
console.log(`listening on ${url}`)
