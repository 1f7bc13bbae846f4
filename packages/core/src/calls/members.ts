/** A member of a group, as a server tells a client that watches the group. */
export interface GroupMember<Info = unknown> {
  /** The `id` of the member's channel at the server; the client's own is `sessionId` of its state. */
  readonly id: string
  /** Whether the member has a connection now. If not, its session waits for it. */
  readonly isConnected: boolean
  /** What the server has joined it with: `channel.join(group, { info })`. Undefined if there is nothing. */
  readonly info?: Info
  /** Its methods that have a handler now, such as those of mounted components; undefined if it does not tell them. */
  readonly methods?: readonly string[]
}

/** An item of the stream `rpc.members` (docs/protocol.md, "Members"): a part of the list of all, or changes. */
export interface MembersItem {
  /** Members of the list of all. A list replaces what was told before. */
  readonly all?: readonly GroupMember[]
  /** The list goes on in the next item. */
  readonly more?: true
  /** With the last part of a list: the ids of the nodes that could not be asked. */
  readonly unreached?: readonly string[]
  /** Members that have come, or are not as they were. */
  readonly on?: readonly GroupMember[]
  /** The ids of members that have left. */
  readonly off?: readonly string[]
}
