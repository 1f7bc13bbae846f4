import { WebSocket } from 'ws'

/**
 * Many clients in a process of their own: plain JSON-RPC 2.0 on bare sockets, which answer whatever they
 * are asked with their number. Arguments: the address, the first number, how many.
 *
 * Told `{ stall: n }`, its first n read nothing more; `{ heard: true }`, it says how many notifications its
 * clients have had in all.
 */
const [url = '', first = '0', count = '0'] = process.argv.slice(2)
const sockets: WebSocket[] = []
let heard = 0

for (let n = 0; n < Number(count); n++) {
  const number = Number(first) + n
  const socket = new WebSocket(url)
  sockets.push(socket)
  socket.on('error', () => {})
  socket.on('message', (data) => {
    const { id, method } = JSON.parse(data.toString())
    if (method === 'tell') heard++
    if (id !== undefined) socket.send(JSON.stringify({ jsonrpc: '2.0', id, result: number }))
  })
  await new Promise((resolve) => socket.once('open', resolve))
  // Says at once that it speaks no more than JSON-RPC 2.0.
  socket.send(JSON.stringify({ jsonrpc: '2.0', method: 'here' }))
}

process.on('message', ({ stall = 0 }: { stall?: number }) => {
  for (const socket of sockets.slice(0, stall)) socket.pause()
  process.send?.({ heard })
})
process.send?.({ heard })
