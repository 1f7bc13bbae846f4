'use client'
export type { DevtoolsPosition } from './devtools/devtools-position.js'

export type { DevtoolsButton } from './devtools/launcher.js'
export {
  RpcDevtools,
  type RpcDevtoolsProps,
} from './devtools/rpc-devtools.js'
