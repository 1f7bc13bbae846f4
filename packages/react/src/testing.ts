'use client'

export {
  createTestServer,
  type TestServer,
  type TestServerOptions,
} from './testing/create-test-server.js'
