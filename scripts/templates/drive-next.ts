import assert from 'node:assert/strict'
import type { Browser } from 'playwright-core'
import { freePort } from '../free-port.ts'
import { type CreatedApp, printed } from './created-app.ts'
import { driveReactApp } from './drive-react-app.ts'

/** Starts the template `next` under development, and as it was built; looks at the page of each in Chromium. */
export async function driveNext(app: CreatedApp, browser: Browser): Promise<void> {
  for (const [command, devtools] of [
    ['npm run dev', 1],
    ['npm start', 0],
  ] as const) {
    const [port, rpcPort] = [await freePort(), await freePort()]
    const address = `http://localhost:${port}`
    const env = `PORT=${port} RPC_PORT=${rpcPort} PAGE_ORIGIN=${address} NEXT_TELEMETRY_DISABLED=1`
    await using programs = app.open(`${env} ${command}`)
    await printed(programs, /listening on ws/)
    await printed(programs, /Ready in/)
    assert.equal(await driveReactApp(browser, address), devtools, `Devtools by ${command}`)
  }
}
