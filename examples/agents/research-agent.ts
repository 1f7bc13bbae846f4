import { runAgent } from './agent.js'

runAgent('research', async (task, step) => {
  for (const done of [0.25, 0.5, 0.75, 1]) await step(done)
  return `three sources on ${task}`
})
