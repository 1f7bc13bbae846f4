export { type NatsEngineOptions, natsEngine } from './nats-engine.js'
export {
  type NatsResultStore,
  type NatsResultStoreOptions,
  natsResultStore,
} from './nats-result-store.js'
