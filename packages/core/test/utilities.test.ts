import { createClient, defineContract, method, utilityDefinitions } from '@flashrpc/core'
import { createEndpoint, type UtilityMethods, utilityMethods } from '@flashrpc/core/server'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { rejection } from './support/rejection.js'

const contract = defineContract({
  server: { ...utilityDefinitions },
  client: { double: method({ params: z.object({ n: z.number() }), result: z.number() }) },
})

test('the utilities answer, and call back, with a contract', async () => {
  await using endpoint = createEndpoint(contract, { methods: { ...utilityMethods() } })
  const { url } = await endpoint.listen()
  await using client = createClient(contract, { url, methods: { double: ({ n }) => 2 * n } })
  expect(await client.other.ping()).toBe('pong')
  expect(await client.other.echo({ text: 'hello' })).toBe('hello')
  expect(await client.other.processDetails()).toEqual({
    pid: process.pid,
    command: process.argv,
    workingDirectory: process.cwd(),
  })
  expect(await client.other.callMeBack({ method: 'double', params: { n: 21 } })).toBe(42)
})

test('the utilities refuse wrong params, and to call back what is not there', async () => {
  const told: unknown[] = []
  await using endpoint = createEndpoint(contract, {
    methods: { ...utilityMethods() },
    onError: [(_, error) => told.push(error)],
  })
  const { url } = await endpoint.listen()
  await using client = createClient(contract, { url })
  const wrong = client.other.echo({ text: 1 as never })
  expect(await rejection(wrong)).toMatchObject({ code: -32602 })
  const unmounted = client.other.callMeBack({ method: 'double', params: { n: 1 } })
  expect(await rejection(unmounted)).toMatchObject({ code: -32601 })
  const unknown = client.other.callMeBack({ method: 'nobody' })
  expect(await rejection(unknown)).toMatchObject({ code: -32603 })
  expect(told).toContainEqual(
    expect.objectContaining({ message: expect.stringContaining('Unknown method "nobody"') }),
  )
})

test('the utilities work without a contract, and are off unless asked for', async () => {
  await using endpoint = createEndpoint<UtilityMethods>({ methods: utilityMethods() })
  await using client = createClient<UtilityMethods>({ url: (await endpoint.listen()).url })
  expect(await client.other.ping()).toBe('pong')

  await using bare = createEndpoint<Record<never, never>>({ methods: {} })
  await using other = createClient<UtilityMethods>({ url: (await bare.listen()).url })
  expect(await rejection(other.other.ping())).toMatchObject({ code: -32601 })
})
