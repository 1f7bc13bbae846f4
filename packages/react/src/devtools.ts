'use client'

export {
  type DevtoolsPosition,
  RpcDevtools,
  type RpcDevtoolsProps,
} from './devtools/rpc-devtools.js'
