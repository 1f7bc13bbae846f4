'use client'

export type { DevtoolsButton } from './devtools/launcher.js'
export {
  type DevtoolsPosition,
  RpcDevtools,
  type RpcDevtoolsProps,
} from './devtools/rpc-devtools.js'
