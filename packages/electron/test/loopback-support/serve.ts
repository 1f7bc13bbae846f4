import type { IncomingMessage } from 'node:http'
import { createLoopback, type LoopbackOptions } from '@flashrpc/electron/loopback'
import { expect } from 'vitest'
import { type Contract, contract } from './contract.js'

export type Options = LoopbackOptions<Contract['server'], Contract['client'], string>

/** The one origin that may connect where a test does not say otherwise. */
export const ORIGIN = 'app://demo'

/** A loopback that notes what its hooks and its logger are told, and what runs. */
export async function serve(options: Partial<Options> = {}) {
  const lines: string[] = []
  const rejections: { status: number; message: string; request: IncomingMessage }[] = []
  const note = (message: string) => lines.push(message)
  const waiting: { signal: AbortSignal; release: () => void }[] = []
  const loopback = await createLoopback(contract, {
    origins: [ORIGIN],
    methods: {
      add: ({ a, b }) => a + b,
      ask: ({ text }, { channel }) => channel.other.confirm({ text }),
      whoAmI: (_, { identity }) => identity ?? 'nobody',
      wait: (_, { signal }) =>
        new Promise((resolve) => waiting.push({ signal, release: () => resolve('released') })),
    },
    logger: { debug: note, warn: note, error: note },
    onReject: [(request, { status, message }) => rejections.push({ status, message, request })],
    ...options,
  })
  return {
    loopback,
    lines,
    rejections,
    waiting,
    /** All that was told of requests, as somebody would log it. */
    told() {
      const seen = rejections.map(({ request, message }) => {
        const { url, headers, headersDistinct, rawHeaders } = request
        return [message, url, JSON.stringify([headers, headersDistinct, rawHeaders])]
      })
      return [...lines, ...seen.flat()].join('\n')
    },
    async [Symbol.asyncDispose]() {
      await loopback.close()
      expect(this.told()).not.toContain(loopback.token)
      expect(loopback.channels.size).toBe(0)
    },
  }
}
