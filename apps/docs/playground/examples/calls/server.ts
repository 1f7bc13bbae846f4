import {
  createChannel,
  messagePortTransport,
} from '@flashrpc/core'
import { port } from 'playground'
import { contract } from './contract.ts'

const channel = createChannel(contract, {
  side: 'server',
  transport: messagePortTransport(port),
  methods: { add: ({ a, b }) => a + b },
})

await channel.other.notify({ text: 'Welcome!' })
const answer = await channel.other.confirm({ text: 'Deploy?' })
console.log(`The client said ${answer}`)
