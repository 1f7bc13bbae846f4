/**
 * `ws` for the published files, by `require`. In a new process that costs less than half of what `import` costs, which reads
 * each of its files twice, and searches them for names. Bundlers follow both.
 */
{
  const { WebSocket, WebSocketServer } = require('ws') as typeof import('ws')
  module.exports = { WebSocket, WebSocketServer }
}
