import { type Client, createClient, RpcAbortedError } from '@flashrpc/core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import type { Control } from '../../../scripts/test-server/control.js'
import { eventually } from './support/eventually.js'
import { rejection } from './support/rejection.js'
import { contract } from './support/suite/contract.js'

/** A page, a server, and a worker thread of the server's: what the page gives up, the thread stops. */
const control = createClient<Control>({ url: inject('controlUrl') })
let port: number
let url: string
let client: Client<typeof contract.client, typeof contract.server>
let key: string

beforeAll(async () => {
  ;({ port, url } = await control.other.startRelay({}))
})

beforeEach(() => {
  client = createClient(contract, { url })
  key = crypto.randomUUID()
})

afterEach(() => client.close())

afterAll(async () => {
  await control.other.stop({ port })
  await control.close()
})

const fates = (expected: string[]) =>
  eventually(async () => expect(await client.other.fates({ key })).toEqual(expected))

test('an abort in the page reaches the thread behind the server', async () => {
  const controller = new AbortController()
  const call = rejection(client.other.hang({ key }, { signal: controller.signal }))
  await fates(['began'])
  controller.abort()
  expect(await call).toBeInstanceOf(RpcAbortedError)
  await fates(['began', 'aborted'])
})

test('a page that goes away ends what runs for it in the thread', async () => {
  const call = rejection(client.other.hang({ key }))
  await fates(['began'])
  await client.close()
  await call
  client = createClient(contract, { url })
  await fates(['began', 'aborted'])
})

test('a stream of the thread is taken through the server, and left in the page', async () => {
  const items = []
  for await (const n of client.other.count({ key })) {
    items.push(n)
    if (n === 99) break
  }
  expect(items).toEqual(Array.from({ length: 100 }, (_, n) => n))
  await fates(['aborted'])
})
