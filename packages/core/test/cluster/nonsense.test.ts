import { createCluster, memoryEngines } from '@flashrpc/core/cluster'
import { createEndpoint } from '@flashrpc/core/server'
import { describe } from 'vitest'
import { testNonsense } from '../support/option-cases.js'

describe('nonsense in place of arguments is refused by an error of this library, or taken', () => {
  const engines = memoryEngines()
  const cluster = createCluster({ engine: engines(), app: 'app' })
  const endpoint = createEndpoint({ cluster, methods: {}, logger: false })
  // Its calls end at once.
  void endpoint.close()
  const of = <T extends object, K extends keyof T>(target: T, name: K) =>
    (target[name] as (...args: unknown[]) => unknown).bind(target)
  const audience = endpoint.group('room')
  const [here, elsewhere] = [cluster.node, '0'.repeat(16)].map((node) =>
    endpoint.channel(node + '0'.repeat(32)),
  ) as [ReturnType<typeof endpoint.channel>, ReturnType<typeof endpoint.channel>]
  const OPTIONS = ['engine', 'app', 'name', 'graceMs', 'outageMs', 'relay', 'identity', 'use']

  testNonsense([
    ['createCluster', createCluster],
    ...OPTIONS.map(
      (name) =>
        [
          `createCluster, ${name}`,
          (value: unknown) => createCluster({ engine: engines(), app: 'app', [name]: value }),
          1,
        ] as const,
    ),
    ['createEndpoint, cluster', (value) => createEndpoint({ cluster: value, methods: {} }), 1],
    ['memoryEngines', memoryEngines],
    ['cluster.subscribe', of(cluster, 'subscribe')],
    ['endpoint.group', of(endpoint, 'group')],
    ['endpoint.channel', of(endpoint, 'channel')],
    ['audience.except', of(audience, 'except')],
    ['audience.except, of several', (one) => audience.except([one]), 1],
    ['audience.call', of(audience, 'call'), 3],
    ['audience.notify', of(audience, 'notify'), 3],
    [
      'audience.each',
      (...args: unknown[]) => Reflect.apply(audience.each, audience, args as never).next(),
      3,
    ],
    [
      'audience.watch',
      (...args: unknown[]) => Reflect.apply(audience.watch, audience, args).next(),
    ],
    ...[here, elsewhere].flatMap((channel, at) => {
      const where = at === 0 ? 'here' : 'elsewhere'
      return [
        [`channel.call, ${where}`, of(channel, 'call'), 3],
        [`channel.notify, ${where}`, of(channel, 'notify'), 3],
        [
          `channel.stream, ${where}`,
          (...args: unknown[]) => Reflect.apply(channel.stream, channel, args as never).next(),
          3,
        ],
        [`channel.close, ${where}`, of(channel, 'close')],
      ] as const
    }),
  ])
})
