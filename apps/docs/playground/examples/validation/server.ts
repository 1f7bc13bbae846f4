import {
  createChannel,
  messagePortTransport,
} from '@flashrpc/core'
import { port } from 'playground'
import { contract } from './contract.ts'

createChannel(contract, {
  side: 'server',
  transport: messagePortTransport(port),
  methods: {
    // Runs only if the params are right.
    register({ name, age }) {
      console.log(`register ${name}, ${age}`)
      return `Hello ${name}`
    },
  },
})
