export { createDiscovery, type DiscoveryInfo } from './discovery/create-discovery.js'
export { type DiscoveryOption, resolveDiscovery } from './discovery/discovery-option.js'
export type { OpenRpcDocument, OpenRpcInfo } from './discovery/open-rpc.js'
export type { Discovery, Served } from './features/discovery/discovery.js'
