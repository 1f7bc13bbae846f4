import type { LiveChannel } from '../channels/live-channel.js'
import type { Member } from '../server/cluster-audience.js'
import { isObject } from './checks.js'

/** A member as its node describes it to others. */
export interface ToldMember {
  readonly on: boolean
  readonly info?: unknown
  /** The methods that it has a handler for now; missing if it does not tell them. */
  readonly methods?: readonly string[]
}

/** @param info what it has joined the group with. */
export function describeMember(channel: LiveChannel, info: unknown): ToldMember {
  const methods = channel.mounted
  return {
    on: channel.isConnected,
    ...(info !== undefined && { info }),
    ...(methods && { methods: [...methods] }),
  }
}

/** @returns the member that another node describes; what it leaves out is not known. */
export function memberOf(channelId: string, node: string, told: unknown): Member {
  const { on, info, methods } = (isObject(told) ? told : {}) as Partial<ToldMember>
  const areNames = Array.isArray(methods) && methods.every((name) => typeof name === 'string')
  return {
    channelId,
    node,
    isConnected: on === true,
    info,
    methods: areNames ? methods : undefined,
  }
}
