import {
  createClient,
  messagePortTransport,
} from '@flashrpc/core'
import { port } from 'playground'
import { contract } from './contract.ts'

const client = createClient(contract, {
  // Over a network, this is: url: 'ws://127.0.0.1:8000/ws'
  transport: () => messagePortTransport(port),
  methods: {
    confirm: ({ text }) => {
      console.log(text)
      return 'yes'
    },
    notify: ({ text }) => console.log(text),
  },
})

console.log(await client.other.add({ a: 5, b: 10 }))
