export { createEndpoint } from './lite/create-endpoint.js'
