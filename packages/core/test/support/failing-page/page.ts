import { createClient } from '@flashrpc/core'
import { contract } from './contract.js'

/** A page whose handler throws. The query says where its server is. */
createClient(contract, {
  url: new URLSearchParams(location.search).get('url') ?? '',
  methods: {
    confirm: () => {
      throw new Error('the dialog broke')
    },
    toast: () => {},
  },
})
