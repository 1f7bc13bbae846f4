export { createChannel } from './lite/create-channel.js'
export { createClient } from './lite/create-client.js'
export type { FeatureOptions } from './lite/lite-arguments.js'
