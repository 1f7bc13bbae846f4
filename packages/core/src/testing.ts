/** For tests of applications: faults of the network, made to order. Node only. */
export {
  createFaultProxy,
  type FaultProxy,
} from './testing/create-fault-proxy.js'
export type {
  AfterBytes,
  BothWays,
  DelayOptions,
  Direction,
  EachWay,
  Faults,
} from './testing/faults.js'
export type { FaultConnection } from './testing/proxied-connection.js'
export type { FaultProxyTarget, FaultProxyTargets } from './testing/targets.js'
