import './support/register.js'
import type { RpcError } from '@flashrpc/core'
import { createRpcHooks, useRpcClient } from '@flashrpc/react'
import {
  rpcMutationOptions,
  rpcQueryOptions,
  rpcStreamedQueryOptions,
  useRpcInvalidation,
} from '@flashrpc/react/query'
import {
  skipToken,
  useMutation,
  useQuery,
  useQueryClient,
  useSuspenseQuery,
} from '@tanstack/react-query'
import { expectTypeOf } from 'vitest'
import { contract } from '../../../scripts/test-server/contract.js'

/** Type tests: tsc checks them, nobody runs them. */
export function useTypeTests() {
  const client = useRpcClient()
  const sum = rpcQueryOptions(client, 'add', { a: 1, b: 2 })
  expectTypeOf(useQuery(sum).data).toEqualTypeOf<number | undefined>()
  expectTypeOf(useQuery(sum).error).toEqualTypeOf<RpcError | null>()
  expectTypeOf(useSuspenseQuery(sum).data).toEqualTypeOf<number>()
  expectTypeOf(useQuery({ ...sum, select: String }).data).toEqualTypeOf<string | undefined>()
  expectTypeOf(useQueryClient().getQueryData(sum.queryKey)).toEqualTypeOf<number | undefined>()
  expectTypeOf(useQuery(rpcQueryOptions(client, 'visits')).data).toEqualTypeOf<number | undefined>()
  // What has no schema may be anything, and so null.
  expectTypeOf(useQuery(rpcQueryOptions(client, 'nothing')).data).toBeUnknown()
  const maybe = rpcQueryOptions(client, 'add', Math.random() > 0.5 ? skipToken : { a: 1, b: 2 })
  expectTypeOf(useQuery(maybe).data).toEqualTypeOf<number | undefined>()
  // @ts-expect-error what may be skipped can't be waited for
  useSuspenseQuery(maybe)
  // @ts-expect-error params are missing
  rpcQueryOptions(client, 'add')
  // @ts-expect-error b is missing
  rpcQueryOptions(client, 'add', { a: 1 })
  // @ts-expect-error a page's method
  rpcQueryOptions(client, 'confirm', { text: '' })
  // @ts-expect-error a stream
  rpcQueryOptions(client, 'count', { to: 1 })

  const add = useMutation(rpcMutationOptions(client, 'add', { idempotencyKey: ({ a }) => `${a}` }))
  expectTypeOf(add.data).toEqualTypeOf<number | undefined>()
  add.mutate({ a: 1, b: 2 })
  // @ts-expect-error b is missing
  add.mutate({ a: 1 })
  useMutation(rpcMutationOptions(client, 'visits')).mutate()

  const numbers = rpcStreamedQueryOptions(client, 'count', { to: 1 }, { keep: 1 })
  expectTypeOf(useQuery(numbers).data).toEqualTypeOf<number[] | undefined>()
  // @ts-expect-error no stream
  rpcStreamedQueryOptions(client, 'add', { a: 1, b: 2 })

  useRpcInvalidation(client, 'notify', ({ text }) => {
    expectTypeOf(text).toBeString()
    return [{ queryKey: ['a'] }, { queryKey: ['b'] }]
  })
  // @ts-expect-error the server's methods notify nobody
  useRpcInvalidation(client, 'add', () => undefined)

  const hooks = createRpcHooks(contract)
  const bound = rpcQueryOptions(hooks.useRpcClient(), 'add', { a: 1, b: 2 })
  expectTypeOf(useQuery(bound).data).toEqualTypeOf<number | undefined>()
}
