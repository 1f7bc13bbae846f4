import { type MessagePort, parentPort } from 'node:worker_threads'
import { createChannel, messagePortTransport } from '@flashrpc/core'
import { createEchoMethods, type EchoClient, type EchoServer, echoOptions } from './echo.js'

parentPort?.on('message', ({ port, format }: { port: MessagePort; format: string }) => {
  createChannel<EchoServer, EchoClient>({
    side: 'server',
    transport: messagePortTransport(port),
    methods: createEchoMethods(),
    ...echoOptions(format),
  })
})
