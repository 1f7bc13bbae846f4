import { createClient, defineContract, type ExposeOptions, method } from '@flashrpc/core'
import {
  createRpcHooks,
  RpcProvider,
  type RpcProviderProps,
  type UseRpcCallOptions,
  type UseRpcStreamOptions,
  useRpcCall,
  useRpcMethod,
  useRpcState,
  useRpcStream,
} from '@flashrpc/react'
import { RpcDevtools, type RpcDevtoolsProps } from '@flashrpc/react/devtools'
import {
  type RpcMutationCallOptions,
  type RpcQueryCallOptions,
  type RpcQueryKeyOptions,
  type RpcStreamedQueryOptions,
  rpcMutationOptions,
  rpcQueryKey,
  rpcQueryOptions,
  rpcStreamedQueryOptions,
  useRpcInvalidation,
} from '@flashrpc/react/query'
import { createTestServer, type TestServerOptions } from '@flashrpc/react/testing'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createElement, type ReactElement } from 'react'
import { renderToString } from 'react-dom/server'
import { describe, expect, test } from 'vitest'
import {
  CHANNEL,
  FLAG,
  FUNCTIONS,
  hook,
  NUMBER,
  type OptionCase,
  optionCase,
  testNonsense,
  testOptions,
} from '../../core/test/support/option-cases.js'

const contract = defineContract({ server: { add: method() }, client: { ask: method() } })
const url = 'ws://127.0.0.1:1'
const client = createClient(contract, { url, autoConnect: false })
const anyClient = client as never

const HOOKS = { onConnect: FUNCTIONS, onDisconnect: FUNCTIONS, onError: FUNCTIONS } as const

/** Renders a component that calls hooks, within a provider. */
function render(use: () => unknown): void {
  function Component(): ReactElement {
    use()
    return <p />
  }
  renderToString(
    <QueryClientProvider client={new QueryClient()}>
      <RpcProvider client={client as never}>
        <Component />
      </RpcProvider>
    </QueryClientProvider>,
  )
}

const onHook =
  <Options,>(use: (options: Options) => unknown) =>
  (options: Options): void =>
    render(() => use(options))

/** React makes an object of whatever props are. */
function propsCase<Props extends object>(
  where: string,
  Component: (props: Props) => ReactElement,
  values: Parameters<typeof optionCase<Props>>[2],
  needed: Partial<Props>,
): OptionCase {
  const give = (props: Props) => void renderToString(createElement(Component, props))
  return { ...optionCase<Props>(where, give, values, needed), isEither: true }
}

const QUERY = { keyPrefix: [['x'], 'x'], timeout: [7] } as const

testOptions([
  propsCase<RpcProviderProps>(
    'RpcProvider',
    RpcProvider as never,
    {
      ...CHANNEL,
      url: [() => url, 5],
      transport: [undefined, {}],
      socket: [undefined, {}],
      headers: [{ a: 'b' }, 5],
      proxy: [false, 5],
      tls: [{}, 5],
      fastPath: [false, 5],
      share: [undefined, 'x'],
      retry: [{ maxAttempts: 1 }, 5],
      connectTimeoutMs: NUMBER,
      resume: FLAG,
      autoConnect: FLAG,
      children: ['text'],
      client: [undefined, {}],
      contract: [contract, {}],
    },
    { url },
  ),
  propsCase<RpcDevtoolsProps>(
    'RpcDevtools',
    RpcDevtools,
    {
      client: [client, 'x'],
      defaultOpen: [false, 'x'],
      button: ['inline', 5],
      position: ['right', 5],
      theme: ['dark', 5],
    },
    { client: anyClient },
  ),
  optionCase<UseRpcCallOptions>(
    'useRpcCall',
    onHook((o) => useRpcCall('add' as never, o)),
    {
      timeout: [7],
    },
  ),
  optionCase<UseRpcStreamOptions>(
    'useRpcStream',
    onHook((o) => useRpcStream('add' as never, undefined as never, o as never)),
    {
      timeout: [7],
      enabled: FLAG,
      keep: NUMBER,
      onItem: FUNCTIONS,
      restart: FLAG,
      pauseWhenHidden: FLAG,
    },
  ),
  optionCase<ExposeOptions>(
    'useRpcMethod',
    onHook((o) => useRpcMethod('ask' as never, hook as never, o)),
    { waitForMount: [7] },
  ),
  optionCase<RpcQueryKeyOptions>(
    'useRpcInvalidation',
    onHook((o) => useRpcInvalidation(anyClient, 'ask' as never, hook as never, o)),
    { keyPrefix: QUERY.keyPrefix },
  ),
  optionCase<RpcQueryKeyOptions>('rpcQueryKey', (o) => rpcQueryKey('add', {}, o), {
    keyPrefix: QUERY.keyPrefix,
  }),
  optionCase<RpcQueryCallOptions>(
    'rpcQueryOptions',
    (o) => rpcQueryOptions(anyClient, 'add' as never, {} as never, o),
    QUERY,
  ),
  optionCase<RpcStreamedQueryOptions>(
    'rpcStreamedQueryOptions',
    (o) => rpcStreamedQueryOptions(anyClient, 'add' as never, {} as never, o as never),
    { ...QUERY, keep: NUMBER, refetchMode: ['append', 5] },
  ),
  optionCase<RpcMutationCallOptions<unknown>>(
    'rpcMutationOptions',
    (o) => rpcMutationOptions(anyClient, 'add' as never, o as never),
    { ...QUERY, idempotencyKey: FUNCTIONS, onProgress: FUNCTIONS },
  ),
  optionCase<TestServerOptions<object, object>>('createTestServer', (o) => createTestServer(o), {
    ...CHANNEL,
    ...HOOKS,
    helloTimeoutMs: NUMBER,
    methods: [{}, 5],
    authorize: FUNCTIONS,
    presence: [{ allow: hook }, { allow: 'x' }],
    identity: ['anybody'],
    client: [{ waitForMount: 5 }, 5],
  }),
])

describe('nonsense in place of arguments is refused by an error of this library, or taken', () => {
  testNonsense([
    ['createRpcHooks', createRpcHooks, 1],
    ['createTestServer', createTestServer],
    ['rpcQueryKey, options', (options) => rpcQueryKey('add', {}, options), 1],
    ['useRpcState', (selector) => render(() => useRpcState(selector)), 1],
    ['useRpcMethod', (handler) => render(() => useRpcMethod('ask' as never, handler)), 1],
    ['RpcProvider, client', (value) => renderToString(<RpcProvider client={value} />), 1],
    ['RpcProvider, url', (value) => renderToString(<RpcProvider url={value} />), 1],
    ['RpcDevtools, client', (value) => renderToString(<RpcDevtools client={value} />), 1],
  ])
})

test('a provider refuses options that are for another client than its own', () => {
  expect(() =>
    renderToString(<RpcProvider {...({ client, url } as object as { url: string })} />),
  ).toThrow('RpcProvider: url is for a client that it makes; with a client, leave it out')
})

test('a url that is undefined is named', () => {
  expect(() =>
    renderToString(<RpcProvider {...({ url: undefined } as object as { url: string })} />),
  ).toThrow('url is missing')
})

test('hooks of a contract that is undefined are not made', () => {
  expect(() => createRpcHooks(undefined as never)).toThrow(
    'createRpcHooks takes a contract first, not undefined. Do two modules import each other?',
  )
})
