import { createElectronHost } from '@flashrpc/electron/main'
import { ipcMain } from 'electron'
import { contract } from '../contract.js'
import type { Served } from '../host/demo.js'
import { ORIGIN } from './address.js'

/** What connects the windows' pages. */
export type DesktopHost = ReturnType<typeof createDesktopHost>

/** Lets our own page in, from windows' main frames, and nobody else. */
export function createDesktopHost(served: Served, log: (line: string) => void) {
  const host = createElectronHost(contract, { ...served, ipcMain, allow: [ORIGIN] })
  host
    .on('refused', ({ reason }) => log(`refused a page: ${reason}`))
    .on('error', (error) => log(`error: ${String(error)}`))
  return host
}
