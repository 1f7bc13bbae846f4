export type { Discovery, Served } from './calls/discovery.js'
export { createDiscovery, type DiscoveryInfo } from './discovery/create-discovery.js'
export { type DiscoveryOption, resolveDiscovery } from './discovery/discovery-option.js'
export type { OpenRpcDocument, OpenRpcInfo } from './discovery/open-rpc.js'
