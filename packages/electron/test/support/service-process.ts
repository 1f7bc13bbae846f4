import { serveUtility } from '@flashrpc/electron/utility'
import type { ParentPort } from 'electron'
import { service } from './service.js'

const { parentPort } = process as unknown as { parentPort: ParentPort }
// Messages of the application's own pass by.
parentPort.on('message', ({ data }) => {
  if (data === 'are you there?') parentPort.postMessage('yes')
})

const utility = serveUtility(parentPort, service, {
  discover: true,
  onConnect: (channel) =>
    channel.join('room', { info: { isMain: channel.identity === undefined } }),
  presence: { allow: (group, { channel }) => channel.groups.has(group) },
})
utility.implement({
  pid: () => process.pid,
  whoAmI: (_, { identity }) => identity ?? 'main',
  reverse: ({ bytes }) => bytes.slice().reverse(),
  tellAll: async ({ text }) => utility.all.notify('told', { text }),
  askBack: (_, { channel }) => channel.other.title(),
  never: () => new Promise(() => {}),
  close: () => utility.close(),
})
