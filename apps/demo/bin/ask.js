import { existsSync } from 'node:fs'

// Starting the demo builds it; where it never was started, nothing can be asked.
const ask = new URL('../dist/server/ask.js', import.meta.url)
if (existsSync(ask)) await import(ask.href)
else {
  console.error(
    '✖ The demo was never started: start it in another terminal: npx --yes pnpm@12 demo',
  )
  process.exitCode = 1
}
