import { createClient } from '@flashrpc/core'
import { contract } from './contract.ts'
import { explain } from './explain.ts'

const [text = 'Hello', to] = process.argv.slice(2)
const client = createClient(contract, {
  url: 'ws://127.0.0.1:8000/ws?token=token-of-ada',
  methods: { notify: ({ text }) => console.log(text) },
})
try {
  console.log(`published as number ${await client.other.publish({ text, to })}`)
} catch (error) {
  console.log(explain(error))
}
await client.close()
