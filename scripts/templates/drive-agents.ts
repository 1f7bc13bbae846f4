import assert from 'node:assert/strict'
import { freePort } from '../free-port.ts'
import { type CreatedApp, printed } from './created-app.ts'

const FINDINGS = ['a book', 'a paper', 'a letter'].map((source) => `${source} on the tides`)
const REPORT = `In one sentence: ${FINDINGS.join(', ')}.`

/** Starts the template `agents` from its sources, and as it was built; asks each for the same report twice. */
export async function driveAgents(app: CreatedApp): Promise<void> {
  for (const command of ['npm run dev', 'npm start']) {
    const port = await freePort()
    await using programs = app.open(`PORT=${port} ${command}`)
    for (const role of ['researcher', 'writer']) {
      await printed(programs, new RegExp(`\\[orchestrator\\] a ${role} is here`))
    }
    assert.doesNotMatch(programs.output, /ECONNREFUSED/)
    const ask = async () => (await app.run(`PORT=${port} npm run --silent ask -- the tides`)).trim()
    assert.equal(
      await ask(),
      [...FINDINGS.map((finding) => `found: ${finding}`), REPORT].join('\n'),
    )
    // The answer to the same key: nothing is looked for again.
    assert.equal(await ask(), REPORT)
    assert.equal(programs.output.match(/report on the tides/g)?.length, 1)
    assert.match(programs.output, /\[researcher\] an? (writer|researcher) is here/)
  }
}
