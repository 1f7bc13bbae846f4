import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { settle } from './application.ts'
import { PORT_PEERS } from './peers.ts'

/** The serving end of a port, in a thread of its own. */
const { name, port } = workerData as { name: string; port: MessagePort }
const peer = await PORT_PEERS[name]?.()
peer?.serve(port)
parentPort?.on('message', () => parentPort?.postMessage(settle()))
