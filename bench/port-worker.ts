import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { settle } from './application.ts'
import { PORT_PEERS, peerNamed } from './peers.ts'

/** The serving end of a port, in a thread of its own. */
const { name, port } = workerData as { name: string; port: MessagePort }
const { kind, build } = peerNamed(name)
const peer = await PORT_PEERS[kind]?.(build)
peer?.serve(port)
parentPort?.on('message', () => parentPort?.postMessage(settle()))
