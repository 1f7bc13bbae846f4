import { type ClientSettings, createClient, RpcConfigError } from '@flashrpc/core'
import { createCluster, memoryEngines } from '@flashrpc/core/cluster'
import { createEndpoint, type EndpointOptions, memoryResultStore } from '@flashrpc/core/server'
import { expect, test } from 'vitest'

const client = (settings: ClientSettings) => () =>
  createClient({ url: 'ws://127.0.0.1:1', autoConnect: false, ...settings })
const endpoint = (options: Partial<EndpointOptions<object, object>>) => () =>
  createEndpoint({ methods: {}, ...options })
const store = memoryResultStore()

test.each([
  [client({ connectTimeoutMs: 0 }), 'connectTimeoutMs must be a positive number of ms. It is 0'],
  [client({ retry: { maxDelayMs: -1 } }), 'retry.maxDelayMs must be a number, 0 or more. It is -1'],
  [client({ waitForMount: -1 }), 'waitForMount must be a number of ms, 0 or more. It is -1'],
  [
    client({ heartbeat: { intervalMs: 1.5 } }),
    'heartbeat.intervalMs must be a positive integer. It is 1.5',
  ],
  [client({ limits: { batch: 0 } }), 'limits.batch must be a positive integer. It is 0'],
  [
    client({ limits: { running: Number.NaN } }),
    'limits.running must be a positive integer, or Infinity. It is NaN',
  ],
  [
    client({ limits: { streamItems: 65_536 } }),
    'limits.streamItems must be a positive integer, 65535 at the most. It is 65536',
  ],
  [
    endpoint({ limits: { connections: 0 } }),
    'limits.connections must be a positive integer, or Infinity. It is 0',
  ],
  [
    endpoint({ limits: { share: 1.1 } }),
    'limits.share must be a number above 0 and up to 1. It is 1.1',
  ],
  [
    endpoint({ resume: { windowMs: 2 ** 31 } }),
    'resume.windowMs must be a positive integer below 2³¹. It is 2147483648',
  ],
  [
    endpoint({ idempotency: { store, graceMs: 0 } }),
    'idempotency.graceMs must be a positive integer below 2³¹. It is 0',
  ],
  [
    endpoint({ handshakeTimeoutMs: -5 }),
    'handshakeTimeoutMs must be a positive number of ms. It is -5',
  ],
  [
    () => memoryResultStore({ share: 0 }),
    'memoryResultStore: share must be a number above 0 and up to 1. It is 0',
  ],
  [
    () => memoryResultStore({ ttlMs: 0.5 }),
    'memoryResultStore: ttlMs must be a positive integer. It is 0.5',
  ],
])('a number that is out of its bounds is refused: %#', (make, text) => {
  expect(make).toThrow(new RpcConfigError(text))
})

test('the largest numbers are allowed', async () => {
  const made = client({ limits: { running: Number.POSITIVE_INFINITY, streamItems: 65_535 } })()
  await made.close()
  await endpoint({ resume: { windowMs: 2 ** 31 - 1 }, limits: { share: 1 } })().close()
})

test.each([2 ** 31, 1.5, Number.POSITIVE_INFINITY])(
  'a cluster takes an outageMs of %s',
  async (outageMs) => {
    const cluster = createCluster({ engine: memoryEngines()(), app: 'app', outageMs })
    const endpoint = createEndpoint({ methods: {}, cluster, logger: false })
    await expect(cluster.ready()).resolves.toBeUndefined()
    await endpoint.close()
  },
)
