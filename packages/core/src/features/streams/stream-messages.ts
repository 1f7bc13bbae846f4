import { MOST_CREDIT } from '../../link/limits.js'

/** The control messages of streams (docs/protocol.md, "Streams"). */
export const StreamMessage = {
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

/** @returns whether a value can be credit; 0 where the least is that. */
export function isCredit(value: unknown, least: 0 | 1 = 1): value is number {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= MOST_CREDIT
}
