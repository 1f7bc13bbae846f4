/**
 * A process without some globals, as a place of another kind is: `node … without-globals.ts <names> <entry> [<url>]`.
 * It imports an entry, and, with a url, makes a client of it there and prints what becomes of its calls.
 */
const [names = '', entry = '', url] = process.argv.slice(2)
for (const name of names.split(',').filter(Boolean)) {
  const path = name.split('.')
  const member = path.pop() ?? ''
  const owner = path.reduce<object>((holder, part) => Reflect.get(holder, part), globalThis)
  Reflect.deleteProperty(owner, member)
}

const told = (thrown: unknown) => {
  const { name, message } = thrown as Error
  return `${name}: ${message}`
}

const loaded = await import(entry).catch((thrown) => {
  console.log(told(thrown))
  process.exit()
})
if (url === undefined) console.log('imported')
else {
  const { webSocketTransport, createClient } = loaded
  const { WebSocket } = await import('ws')
  try {
    const client = createClient({
      transport: async () => {
        const socket = new WebSocket(url)
        await new Promise((opened) => socket.once('open', opened))
        return webSocketTransport(socket)
      },
      onError: [(_: unknown, error: unknown) => console.log(`onError: ${told(error)}`)],
      ...(process.env.FRAME_TYPE && { frameType: process.env.FRAME_TYPE }),
    })
    console.log(await client.other.greet({ name: 'Ada' }).catch(told))
    await client.close()
    console.log(client.state.status)
  } catch (thrown) {
    console.log(told(thrown))
  }
}
