import { defineContract, method, notification } from '@flashrpc/core'
import { createElectronHost, type ElectronPage } from '@flashrpc/electron/main'
import { serveUtility } from '@flashrpc/electron/utility'
import type { IpcMain, ParentPort } from 'electron'
import { expectTypeOf } from 'vitest'
import { z } from 'zod'

/** Checked by `tsc`; never run. */

const contract = defineContract({
  server: {
    notes: { count: method({ result: z.number() }), drop: method({ result: z.boolean() }) },
    greet: method({ params: z.object({ text: z.string() }), result: z.enum(['hi', 'ho']) }),
  },
  client: {
    confirm: method({ result: z.boolean() }),
    told: notification({ params: z.object({ text: z.string() }) }),
  },
})
declare const ipcMain: IpcMain
declare const parentPort: ParentPort

// ── A host: its handlers may use it, and say nothing of its type ───────────────────────────────────

const host = createElectronHost(contract, {
  ipcMain,
  allow: ['app://demo'],
  presence: {
    allow: (group, { channel, identity }) => {
      expectTypeOf(identity).toEqualTypeOf<ElectronPage>()
      return channel.groups.has(group)
    },
  },
})
host.implement({
  notes: {
    count: () => host.channels.size,
    drop: async () => {
      const [first] = await host.group('notes').call('confirm')
      return first?.status === 'ok' && first.value
    },
  },
  greet: (_, { identity, channel }) => {
    expectTypeOf(identity).toEqualTypeOf<ElectronPage>()
    expectTypeOf(channel.other.confirm).returns.toEqualTypeOf<Promise<boolean>>()
    return host.pageOf(channel) ? 'hi' : 'ho'
  },
})
host.implement({
  'notes.count': () => host.channels.size,
  'notes.drop': () => true,
  greet: () => 'hi',
})
host.implement('notes', { count: () => host.channels.size, drop: () => false })
host.implement('notes.count', () => host.channels.size)
// @ts-expect-error: drop is missing
host.implement('notes', { count: () => 1 })
// @ts-expect-error: it is 'hi' or 'ho'
host.implement('greet', () => 'hm')
// @ts-expect-error: there is no such path
host.implement('notes.counts', () => 1)

const named = createElectronHost(contract, {
  ipcMain,
  allow: [],
  identify: async ({ webContentsId }: ElectronPage) => ({ window: webContentsId }),
})
named.implement('greet', (_, { identity }) => {
  expectTypeOf(identity).toEqualTypeOf<{ window: number }>()
  return 'hi'
})

const plain = createElectronHost<{ add(params: { a: number }): number }>({ ipcMain, allow: [] })
plain.implement({ add: ({ a }) => a + plain.channels.size })
// @ts-expect-error: it returns a number
plain.implement({ add: () => 'x' })

// ── A service ──────────────────────────────────────────────────────────────────────────────────────

const service = serveUtility(parentPort, contract, {
  presence: { allow: (group, { channel }) => channel.groups.has(group) },
})
service.implement('notes', {
  count: async () => service.all.notify('told', { text: 'counted' }),
  drop: () => service.channels.size > 0,
})
service.implement('greet', () => 'ho')
// @ts-expect-error: it is 'hi' or 'ho'
service.implement('greet', () => 'hm')
