import {
  createChannel,
  messagePortTransport,
  RpcError,
} from '@flashrpc/core'
import { port } from 'playground'
import { contract } from './contract.ts'

createChannel(contract, {
  side: 'server',
  transport: messagePortTransport(port),
  methods: {
    find({ year }) {
      // The client gets this error as it is:
      if (year > 2100)
        throw new RpcError(4004, 'No such year', { year })
      // It does not get this one, which stays here:
      if (year < 0) throw new Error('The archive is closed')
      return `All of ${year}`
    },
  },
})
