import { run } from './run.js'

// Not `process.exit`: what was written is to reach its reader.
process.exitCode = await run(process.argv.slice(2))
