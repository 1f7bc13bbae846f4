import { createEndpoint } from '@flashrpc/core/server'
import { contract } from './contract.ts'

const news: string[] = []

const endpoint = createEndpoint(contract, {
  allowedOrigins: ['http://localhost:5173'], // pages of other origins are refused
  methods: {
    async publish({ text }) {
      const number = news.push(text)
      await endpoint.all.notify('notify', { text })
      console.log(`${number}: ${text}`)
      return number
    },
    async clear(_, { channel, signal }) {
      const answer = await channel.other.confirm(
        { text: `Delete ${news.length} news?` },
        { signal },
      )
      console.log(`the page says ${answer}`)
      if (answer === 'yes') news.length = 0
      return answer === 'yes'
    },
  },
})
const { url } = await endpoint.listen({ port: 8000, path: '/ws' })
console.log(`listening on ${url}`)
