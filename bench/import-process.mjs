// Imports the modules that it is told, and prints the CPU that this took, in µs. It is no TypeScript: a loader of
// TypeScript's would be measured, too.
import { createRequire } from 'node:module'

const [how, ...modules] = process.argv.slice(2)
const require = createRequire(import.meta.url)
const before = process.cpuUsage()
for (const name of modules) {
  if (how === 'require') require(name)
  else await import(name)
}
const { user, system } = process.cpuUsage(before)
console.log(user + system)
