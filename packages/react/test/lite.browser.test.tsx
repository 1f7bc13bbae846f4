import { defineContract, memoryTransportPair, method, stream } from '@flashrpc/core'
import { streams } from '@flashrpc/core/features'
import { createChannel, createClient } from '@flashrpc/core/lite'
import { RpcProvider, useRpc, useRpcState } from '@flashrpc/react/lite'
import { render } from '@testing-library/react'
import { useEffect, useState } from 'react'
import { afterEach, expect, test, vi } from 'vitest'
import { z } from 'zod'

const contract = defineContract({
  server: {
    add: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
    rows: stream({ item: z.number() }),
  },
  client: {},
})

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

function connected() {
  const features = [streams()]
  const client = createClient(contract, {
    autoConnect: false,
    features,
    transport: () => {
      const [ours, theirs] = memoryTransportPair()
      const methods = {
        add: ({ a, b }: { a: number; b: number }) => a + b,
        async *rows() {
          yield 1
        },
      }
      createChannel(contract, { side: 'server', transport: theirs, methods, features })
      return ours
    },
  })
  closing.push(() => client.close())
  return client
}

function Sum() {
  const rpc = useRpc() as unknown as {
    add(params: { a: number; b: number }): Promise<number>
  }
  const { status } = useRpcState()
  const [sum, setSum] = useState<number>()
  useEffect(() => {
    void rpc.add({ a: 1, b: 2 }).then(setSum)
  }, [rpc])
  return (
    <p>
      {status} {sum}
    </p>
  )
}

test('the hooks work over a lite client that the application made', async () => {
  const { container } = render(
    <RpcProvider client={connected()}>
      <Sum />
    </RpcProvider>,
  )
  await vi.waitFor(() => expect(container.textContent).toBe('connected 3'), { timeout: 10_000 })
})

test('a provider without a client says what it needs', () => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  expect(() => render(<RpcProvider client={undefined as never}>no</RpcProvider>)).toThrow(
    'RpcProvider: client must be a client, made by createClient',
  )
})
