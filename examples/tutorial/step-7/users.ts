import type { IncomingMessage } from 'node:http'
import { RejectUpgrade } from '@flashrpc/core/server'

/** In the place of your database: users by their tokens. */
const users = new Map([
  ['token-of-ada', { name: 'ada' }],
  ['token-of-bob', { name: 'bob' }],
])

export function userOf({ url = '' }: IncomingMessage): { name: string } {
  const token = new URL(url, 'ws://localhost').searchParams.get('token')
  const user = users.get(token ?? '')
  if (!user) throw new RejectUpgrade(401, 'Nobody has this token')
  return user
}
