import { createInterface } from 'node:readline'
import { NAMES, startCluster } from './cluster.js'

const nats = process.env.NATS_URL ?? 'nats://127.0.0.1:4222'
const cluster = await startCluster(nats, Number(process.env.PORT ?? 8000))
console.log(`listening on ws://127.0.0.1:${cluster.balancer.port}/ws`)
console.log(
  `Type the name of a node to kill it (${NAMES.join(', ')}), or "cut" to cut all connections.`,
)

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void cluster.close().then(() => process.exit()))
}

for await (const line of createInterface(process.stdin)) {
  const word = line.trim().toLowerCase()
  const name = NAMES.find((each) => each.toLowerCase() === word)
  if (word === 'cut') cluster.balancer.cut()
  if (!name) continue
  await cluster.kill(name)
  console.log(`${name} is dead. It starts again in 5 s.`)
  setTimeout(() => void cluster.start(name).then(() => console.log(`${name} is back.`)), 5_000)
}
