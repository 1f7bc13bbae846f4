import { runAgent } from './agent.js'

runAgent('analysis', async (task, step, orchestrator) => {
  await step(0.5)
  // A nested call: the orchestrator waits for this agent, and this agent for its answer.
  const depth = await orchestrator.clarify({ question: `How deep shall I go into ${task}?` })
  await step(1)
  return `a ${depth} look at ${task}`
})
