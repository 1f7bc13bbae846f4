export { type NatsEngineOptions, natsEngine } from './nats-engine.js'
