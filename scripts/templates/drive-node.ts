import assert from 'node:assert/strict'
import { type CreatedApp, printed, TIMEOUT_MS } from './created-app.ts'

const CLIENT_PRINTS = `the server says: Welcome!
5 + 10 = 15
the server asks: Deploy v1? yes
v1 is deployed
the server says: Hello, everyone`

/** Starts the server of the template `node` from its sources, and as it was built; a client calls each. */
export async function driveNode(app: CreatedApp): Promise<void> {
  for (const command of ['npm run dev', 'npm start']) {
    await using server = app.open(`PORT=0 ${command}`)
    const url = await printed(server, /listening on (ws:\S+)/)
    await using client = app.open(`SERVER_URL=${url} npm run --silent client`)
    await client.prints(/Hello, everyone$/, TIMEOUT_MS)
    assert.equal(client.output.trim(), CLIENT_PRINTS)
    server.interrupt()
    await printed(server, /stopped/)
  }
}
