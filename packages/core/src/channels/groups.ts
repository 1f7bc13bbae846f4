import { EMPTY_SET, ownSet } from '../base/empty.js'
import { RpcConfigError } from '../errors/errors.js'

/** The members of each group. */
export class Groups<Ch extends object> {
  readonly #members = new Map<string, Set<Ch>>()

  add(group: string, member: Ch): void {
    const members = this.#members.get(group)
    if (members) members.add(member)
    else this.#members.set(group, new Set([member]))
  }

  remove(group: string, member: Ch): void {
    const members = this.#members.get(group)
    members?.delete(member)
    // Groups may be named after users, so empty groups would accumulate.
    if (members?.size === 0) this.#members.delete(group)
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

  /** @param groups is updated, if members are to be found by their group. */
  constructor(member: Ch, groups: Groups<Ch> | undefined) {
    this.#member = member
    this.#groups = groups
  }

  get names(): ReadonlySet<string> {
    return this.#names
  }

  join(group: string): void {
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
    `A group's name is text, such as "user:42", and not empty; this one is ${what}`,
  )
}
