export {
  createEndpoint,
  type Endpoint,
  type EndpointOptions,
  type Listening,
  type ListenOptions,
} from './server/endpoint.js'
export { RpcListenError } from './server/listen.js'
