import type { contract } from '../contract.js'

declare module '@flashrpc/react' {
  interface Register {
    contract: typeof contract
  }
}
