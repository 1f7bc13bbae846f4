import { EMPTY_SET, ownSet } from '../base/empty.js'
import { RpcConfigError, RpcOverloadedError } from '../errors/errors.js'
import { quoted } from '../errors/quoted.js'

/** How a channel joins a group. */
export interface JoinOptions {
  /**
   * What is told of the member, such as a name, in place of what was told before: to all that the option `presence`
   * allows to see who is in the group, and by `members()` and `watch()` in a cluster. At most 4 KiB in the endpoint's
   * codec. Without `presence` and without a cluster it is not kept. Default: nothing.
   */
  info?: unknown
}

/** What is told of groups. */
export interface GroupEvents<Ch extends object> {
  /** A group has its first member. */
  first(group: string): void
  /** A group has no members any more. */
  last(group: string): void
  /** A member joins, or gives other options than before. @throws {RpcConfigError} if an option is wrong. */
  joining(group: string, member: Ch, options: JoinOptions | undefined): void
  joined(group: string, member: Ch): void
  left(group: string, member: Ch): void
}

/** The members of each group. */
export class Groups<Ch extends object> {
  readonly #members = new Map<string, Set<Ch>>()
  readonly #events: GroupEvents<Ch> | undefined

  constructor(events?: GroupEvents<Ch>) {
    this.#events = events
  }

  /** @throws {RpcConfigError} if an option is wrong. */
  check(group: string, member: Ch, options: JoinOptions | undefined): void {
    this.#events?.joining(group, member, options)
  }

  add(group: string, member: Ch): void {
    const members = this.#members.get(group)
    if (members) members.add(member)
    else {
      this.#members.set(group, new Set([member]))
      this.#events?.first(group)
    }
    this.#events?.joined(group, member)
  }

  remove(group: string, member: Ch): void {
    const members = this.#members.get(group)
    if (!members?.delete(member)) return
    this.#events?.left(group, member)
    if (members.size > 0) return
    // Groups may be named after users, so empty groups would accumulate.
    this.#members.delete(group)
    this.#events?.last(group)
  }

  /** The present members of a group, in the order in which they joined. */
  membersOf(group: string): Iterable<Ch> {
    return this.#members.get(group) ?? []
  }

  /** The number of groups that have members. */
  get size(): number {
    return this.#members.size
  }
}

/** The groups that one channel is in, until it ends. */
export class Membership<Ch extends object> {
  #names: Set<string> = EMPTY_SET
  readonly #member: Ch
  readonly #groups: Groups<Ch> | undefined
  readonly #most: number

  /**
   * @param groups is updated, if members are to be found by their group.
   * @param most the most groups that it may be in.
   */
  constructor(member: Ch, groups: Groups<Ch> | undefined, most: number) {
    this.#member = member
    this.#groups = groups
    this.#most = most
  }

  get names(): ReadonlySet<string> {
    return this.#names
  }

  /**
   * @throws {RpcOverloadedError} if it is in too many groups.
   * @throws {RpcConfigError} if an option is wrong.
   */
  join(group: string, options: JoinOptions | undefined): void {
    const isIn = this.#names.has(group)
    if (!isIn && this.#names.size >= this.#most) {
      throw new RpcOverloadedError(
        `The channel is in ${this.#most} groups, and can't join ${quoted(group)}: leave one, or raise limits.groups`,
      )
    }
    this.#groups?.check(group, this.#member, options)
    if (isIn) return
    this.#names = ownSet(this.#names).add(group)
    this.#groups?.add(group, this.#member)
  }

  leave(group: string): void {
    if (this.#names.delete(group)) this.#groups?.remove(group, this.#member)
  }

  end(): void {
    for (const name of this.#names) this.leave(name)
  }
}

/** @throws {RpcConfigError} if it can't be a group's name. */
export function assertGroup(group: unknown): asserts group is string {
  if (typeof group === 'string' && group !== '') return
  const what = typeof group === 'string' ? 'empty' : `of type ${typeof group}`
  throw new RpcConfigError(
    `A group's name is text, such as "user:42", and not empty. This one is ${what}`,
  )
}
