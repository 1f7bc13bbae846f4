import type { Contract } from '@flashrpc/core'
import { assertGroup, assertOptions, type OptionKinds } from '@flashrpc/core/internal'
import { useCallback, useMemo, useSyncExternalStore } from 'react'
import { useProvidedClient } from './context.js'
import {
  IDLE_PRESENCE,
  type PresenceState,
  WAITING_PRESENCE,
  watchedGroup,
  watchGroup,
} from './watched-group.js'

/** How a component watches who is in a group. */
export interface UseRpcPresenceOptions {
  /** Whether to watch it. Default true; while false its status is `idle`. */
  enabled?: boolean
}

const PRESENCE_OPTIONS = {
  enabled: 'boolean',
} as const satisfies OptionKinds<UseRpcPresenceOptions>

/** Who is in a group, as a component sees it. */
export interface RpcPresence<Info = unknown> extends PresenceState<Info> {
  /**
   * Asks again, such as after it has failed because this client was not in the group yet. It does nothing while
   * `enabled` is false. It is the same function at every render.
   */
  readonly restart: () => void
}

/** `useRpcPresence`. `Info` is what the server joins members with; it is not validated. */
export type UseRpcPresence = <Info = unknown>(
  group: string,
  options?: UseRpcPresenceOptions,
) => RpcPresence<Info>

/** `useRpcPresence`. Its export documents it. */
export function useBoundRpcPresence(
  boundTo: Contract | undefined,
  group: string,
  options: UseRpcPresenceOptions = {},
): RpcPresence {
  assertOptions('useRpcPresence', options, PRESENCE_OPTIONS)
  assertGroup(group)
  const { enabled = true } = options
  const client = useProvidedClient(boundTo, 'useRpcPresence')
  const subscribe = useCallback(
    (onChange: () => void) => (enabled ? watchGroup(client, group, onChange) : () => {}),
    [client, group, enabled],
  )
  const read = () =>
    enabled ? (watchedGroup(client, group)?.state ?? WAITING_PRESENCE) : IDLE_PRESENCE
  const state: PresenceState = useSyncExternalStore(subscribe, read, read)
  const restart = useCallback(() => {
    if (enabled) watchedGroup(client, group)?.restart()
  }, [client, group, enabled])
  return useMemo(() => ({ ...state, restart }), [state, restart])
}
