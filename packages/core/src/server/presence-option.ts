import type { HandlerContext } from '../calls/functions.js'
import type { AnyHandler } from '../calls/handler.js'
import type { LiveChannel } from '../channels/live-channel.js'
import { assertOptions } from '../errors/assert-options.js'
import { ErrorCode, RpcConfigError, RpcError } from '../errors/errors.js'
import type { OptionKinds } from '../errors/options.js'
import { quoted } from '../errors/quoted.js'
import { MEMBERS } from '../features/members/members.js'
import type { WatchGroup } from './group-events.js'
import type { OnLeave } from './leaves.js'
import { type BeginWatch, toldMembers } from './told-members.js'

/** The option `presence` of an endpoint, and of other hosts of channels. */
export interface PresenceOptions<Ch = unknown> {
  /**
   * Decides whether a caller may see who is in a group, and what each member has joined with. It is asked when the caller
   * begins to watch the group, and again if the caller's own channel leaves the group. If it returns false, the caller is
   * answered −32002; an `RpcError` that it throws is passed on.
   */
  allow: (group: string, context: HandlerContext<Ch>) => boolean | Promise<boolean>
}

const PRESENCE_OPTIONS = { allow: 'function' } as const satisfies OptionKinds<PresenceOptions>

/**
 * @param watch watches a group of the endpoint.
 * @param onLeave tells when a caller leaves a group.
 * @returns what answers `rpc.members`.
 * @throws {RpcConfigError} if the option is wrong.
 */
export function resolvePresence(
  presence: PresenceOptions | undefined,
  watch: WatchGroup,
  onLeave: OnLeave,
): AnyHandler {
  if (presence === undefined) return refuse
  assertOptions('presence', presence, PRESENCE_OPTIONS)
  const { allow } = presence
  if (allow === undefined) {
    throw new RpcConfigError(
      'presence.allow is missing: it must be a function that decides who may see the members of which group, such as (group, { channel }) => channel.groups.has(group)',
    )
  }
  return async (params, context) => {
    const { group } = Object(params) as { group?: unknown }
    if (typeof group !== 'string' || group === '') {
      const message = `Invalid params for "${MEMBERS}": group must be the name of a group`
      throw new RpcError(ErrorCode.invalidParams, message, undefined, { method: MEMBERS })
    }
    const { channel, signal } = context as HandlerContext<LiveChannel>
    /** Whether the channel has left the group since the last check began. */
    let hasLeft = false
    // It listens before it asks, since `allow` may look at the groups of the channel at any moment until it answers.
    const stop = onLeave(channel, group, () => (hasLeft = true))
    // If the caller gives up before the first item is asked for, the items do not end by themselves.
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
    const check = async () => {
      hasLeft = false
      if (!(await allow(group, context as HandlerContext))) throw notAllowed(group)
    }
    try {
      await check()
    } catch (error) {
      stop()
      throw error
    }
    let checking: Promise<void> | undefined
    const mayTell = () => {
      if (!checking && hasLeft) {
        // If it fails, it stays: nothing may be told after that.
        checking = check().then(() => {
          checking = undefined
        })
        // The client may have stopped to wait for it.
        checking.catch(() => {})
      }
      return checking
    }
    const begin: BeginWatch = (listener) => {
      const end = watch(group, listener)
      return () => {
        end()
        stop()
      }
    }
    return toldMembers(begin, { signal, mayTell })
  }
}

const refuse: AnyHandler = () => {
  const why =
    'this server tells no client who is in its groups. Let it, by the option presence: { allow: (group, { channel }) => channel.groups.has(group) }'
  const message = `Method not found: "${MEMBERS}": ${why}`
  throw new RpcError(ErrorCode.methodNotFound, message, undefined, { method: MEMBERS })
}

function notAllowed(group: string): RpcError {
  const message = `Not allowed to see who is in the group ${quoted(group)}: presence.allow of the server has returned false for this caller`
  return new RpcError(ErrorCode.unauthorized, message, undefined, { method: MEMBERS })
}
