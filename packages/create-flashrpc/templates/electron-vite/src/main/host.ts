import { setTimeout as wait } from 'node:timers/promises'
import { createElectronHost } from '@flashrpc/electron/main'
import { ipcMain } from 'electron'
import { contract } from '../contract.ts'
import { ORIGIN } from './page.ts'
import { openWindow } from './window.ts'

/** What connects main and the pages of its windows. It is created before the first window loads. */
export const host = createElectronHost(contract, {
  ipcMain,
  allow: [ORIGIN],
  methods: {
    async deploy({ version }, { channel }) {
      // `deploy` runs until someone has answered in the window.
      const answer = await channel.other.confirm(
        { text: `Deploy ${version}?` },
        { timeout: 60_000 },
      )
      return answer === 'yes' ? `${version} is deployed` : `${version} is not deployed`
    },
    say: ({ text }) => void host.all.notify('notify', { text }),
    async *clock(_, { signal }) {
      for (;;) {
        yield new Date().toLocaleTimeString()
        // `signal` aborts when the page is gone.
        await wait(1_000, undefined, { signal })
      }
    },
    openWindow,
  },
  onConnect: [({ other }) => other.notify({ text: 'Welcome!' })],
})
