import { assertOptions } from '../errors/assert-options.js'
import { describeThrown, RpcConfigError } from '../errors/errors.js'
import type { OptionKinds } from '../errors/options.js'
import { frameBytes } from '../wire/codec.js'
import { attachedTo, encode, frameOf } from '../wire/encoded.js'
import type { Format } from '../wire/format.js'
import type { JoinOptions } from './groups.js'
import type { LiveChannel } from './live-channel.js'

const JOIN_OPTIONS = { info: 'elsewhere' } as const satisfies OptionKinds<JoinOptions>

/** The most bytes of an info with which a channel joins a group. */
const MAX_INFO_BYTES = 4_096

/** The infos with which the channels of this node have joined their groups. */
export class MemberInfos {
  readonly #infos = new WeakMap<LiveChannel, Map<string, unknown>>()

  /**
   * Keeps the info with which a channel joins a group.
   *
   * @returns whether it differs from before.
   * @throws {RpcConfigError} if it is too large, or the codec can't carry it.
   */
  keep(
    group: string,
    member: LiveChannel,
    options: JoinOptions | undefined,
    format: Format,
  ): boolean {
    if (options === undefined) return false
    assertOptions('channel.join', options, JOIN_OPTIONS)
    const { info } = options
    if (info === undefined || info === this.of(group, member)) return false
    assertInfo(info, format)
    const infos = this.#infos.get(member) ?? new Map<string, unknown>()
    this.#infos.set(member, infos.set(group, info))
    return true
  }

  of(group: string, member: LiveChannel): unknown {
    return this.#infos.get(member)?.get(group)
  }

  forget(group: string, member: LiveChannel): void {
    this.#infos.get(member)?.delete(group)
  }
}

function assertInfo(info: unknown, format: Format): void {
  let bytes: number
  try {
    const encoded = encode(format, { jsonrpc: '2.0', method: '', params: { info } })
    bytes = frameBytes(frameOf(encoded)) + (attachedTo(encoded)?.size ?? 0)
  } catch (cause) {
    const why = describeThrown(cause)
    throw new RpcConfigError(`channel.join: info can't be told to others: ${why}`, { cause })
  }
  if (bytes <= MAX_INFO_BYTES) return
  throw new RpcConfigError(
    `channel.join: info takes ${bytes} bytes as it is sent. At most ${MAX_INFO_BYTES} are allowed`,
  )
}
