import { setTimeout as wait } from 'node:timers/promises'
import { createClient } from '@flashrpc/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { contract } from '../src/contract.ts'
import { startOrchestrator } from '../src/orchestrator.ts'
import { connectResearcher } from '../src/researcher.ts'
import { whenListening } from '../src/when-listening.ts'
import { connectWriter } from '../src/writer.ts'

const lines: string[] = []
const log = (line: string) => void lines.push(line)

let orchestrator: Awaited<ReturnType<typeof startOrchestrator>>

beforeEach(async () => {
  lines.length = 0
  orchestrator = await startOrchestrator(0, log)
})

afterEach(() => orchestrator.endpoint.close())

const REPORT = 'In one sentence: a book on tides, a paper on tides, a letter on tides.'

test('the agents make a report, and tell what they find', async () => {
  await using _researcher = connectResearcher(orchestrator.url, log)
  await using _writer = connectWriter(orchestrator.url, log)
  await using client = createClient(contract, { url: orchestrator.url })
  const found: string[] = []
  const onProgress = (finding: string) => void found.push(finding)
  expect(await client.other.report({ topic: 'tides' }, { onProgress })).toBe(REPORT)
  expect(found).toEqual(['a book on tides', 'a paper on tides', 'a letter on tides'])
  expect(lines).toContain('researcher: looks for tides')
  expect(lines).toContain('asked: How long a text on tides?')
})

test('a report that is asked for twice with one key is made once', async () => {
  await using _researcher = connectResearcher(orchestrator.url, log)
  await using _writer = connectWriter(orchestrator.url, log)
  await using client = createClient(contract, { url: orchestrator.url })
  const ask = () => client.other.report({ topic: 'tides' }, { idempotencyKey: 'tides' })
  expect(await Promise.all([ask(), ask()])).toEqual([REPORT, REPORT])
  expect(lines.filter((line) => line === 'report on tides')).toHaveLength(1)
})

test('if an agent is lost at work, another one gets the work', async () => {
  const first = connectResearcher(orchestrator.url, log)
  await using _writer = connectWriter(orchestrator.url, log)
  await using client = createClient(contract, { url: orchestrator.url })
  // After its first finding.
  const onProgress = () => void first.close()
  const report = client.other.report({ topic: 'tides' }, { onProgress })
  await expect.poll(() => first.state.status).toBe('closed')
  await using _second = connectResearcher(orchestrator.url, log)
  expect(await report).toBe(REPORT)
})

test('an agent waits until the orchestrator listens', async () => {
  const port = Number(new URL(orchestrator.url).port)
  await orchestrator.endpoint.close()
  const listening = whenListening(port).then(() => 'it listens')
  expect(await Promise.race([listening, wait(300, 'nobody listens')])).toBe('nobody listens')
  orchestrator = await startOrchestrator(port, log)
  expect(await listening).toBe('it listens')
})
