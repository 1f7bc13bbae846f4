export { createChannel } from './lite/create-channel.js'
export { createClient, type FeatureOptions } from './lite/create-client.js'
