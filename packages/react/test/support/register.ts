import type { contract } from '../../../../scripts/test-server/contract.js'

declare module '@flashrpc/react' {
  interface Register {
    contract: typeof contract
  }
}
