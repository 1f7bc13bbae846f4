export {
  createEndpoint,
  type Endpoint,
  type EndpointOptions,
  type ListenOptions,
  type Listening,
} from './server/endpoint.js'
export { RpcListenError } from './server/listen.js'
