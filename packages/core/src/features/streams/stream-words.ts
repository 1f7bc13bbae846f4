import { isMessageId, type MessageId, type NotificationMessage } from '../../wire/message.js'

/** What is said of streams besides the calls that carry them (docs/protocol.md, "Streams"). */
export const StreamWord = {
  /** callee → caller: an item. */
  item: 'rpc.item',
  /** caller → callee: so many more items may come. */
  credit: 'rpc.credit',
  /** caller → callee: an item of the caller's. */
  input: 'rpc.input',
  /** caller → callee: it was the last. */
  inputEnd: 'rpc.input.end',
  /** callee → caller: so many more of them may come; 0 is for no more at all. */
  inputCredit: 'rpc.input.credit',
} as const

/** The most credit that a producer may have. */
export const MOST_CREDIT = 65_535

/** Says something of a call. */
export function wordOf(method: string, params: object): NotificationMessage {
  return { jsonrpc: '2.0', method, params }
}

/** @returns the id of the call that params are about, or `undefined` where there is none. */
export function readId(params: unknown): { id: MessageId } | undefined {
  const { id } = (params ?? {}) as { id?: unknown }
  return isMessageId(id) ? { id } : undefined
}

/** @returns whether a value can be credit; 0 where the least is that. */
export function isCredit(value: unknown, least: 0 | 1 = 1): value is number {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= MOST_CREDIT
}
