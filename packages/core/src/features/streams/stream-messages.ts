import { MOST_CREDIT } from '../../link/limits.js'

/** The control messages of streams (docs/protocol.md, "Streams"). */
export const StreamMessage = {
  /** callee → caller: an item. */
  item: 'rpc.item',
  /** caller → callee: credit for more items. */
  credit: 'rpc.credit',
  /** caller → callee: an item of the caller's input. */
  input: 'rpc.input',
  /** caller → callee: the input has ended. */
  inputEnd: 'rpc.input.end',
  /** callee → caller: credit for more input items; 0 means that no more are wanted. */
  inputCredit: 'rpc.input.credit',
} as const

/** @returns whether a value is valid credit, which is at least `least`. */
export function isCredit(value: unknown, least: 0 | 1 = 1): value is number {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= MOST_CREDIT
}
