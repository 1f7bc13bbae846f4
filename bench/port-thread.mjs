// A thread has no loader of TypeScript's until it asks for one.
import { register } from 'tsx/esm/api'

register()
await import('./port-worker.ts')
