export { type BetweenTabsOptions, betweenTabs } from './tabs/between-tabs.js'
export { serveTabs } from './tabs/serve-tabs.js'
export type { SharedWorkerLike } from './tabs/shared-connector.js'
export type { TabsOptions } from './tabs/tab-server.js'
