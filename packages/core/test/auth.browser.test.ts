import { createClient, RpcConfigError } from '@flashrpc/core'
import { expect, test } from 'vitest'

test.each<[object, RegExp]>([
  [{ headers: { authorization: 'x' } }, /headers can't be set here.*token into the url.*cookies/],
  [{ headers: () => ({}) }, /headers can't be set here/],
  [{ proxy: 'http://127.0.0.1:3128' }, /proxy can't be set here.*Leave it out/],
  [{ tls: { ca: 'x' } }, /tls can't be set here.*Leave it out/],
  [{ fastPath: false }, /fastPath can't be set here.*Leave it out/],
])('in a page %j is refused at once, with the remedy', (options, message) => {
  const create = () => createClient({ url: 'ws://127.0.0.1', ...options })
  expect(create).toThrow(RpcConfigError)
  expect(create).toThrow(message)
})
