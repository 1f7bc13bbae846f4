import type { OptionKinds } from '../errors/options.js'
import type { HandlerContext } from './functions.js'

/** A handler without its types, as the code that runs it sees it. Its params are already validated. */
// biome-ignore lint/suspicious/noExplicitAny: the channels of all contracts, and only `any` is all
export type AnyHandler = (params: unknown, context: HandlerContext<any>) => unknown

/** Handlers by name, the newest of each name last. */
export type HandlersByName = ReadonlyMap<string, readonly AnyHandler[]>

/** Options of `expose`. */
export interface ExposeOptions {
  /**
   * How long calls and notifications of the same name wait for the next handler after this one is removed, in ms.
   * Default: the channel's own `waitForMount`.
   */
  waitForMount?: number | undefined
}

export const EXPOSE_OPTIONS = {
  waitForMount: 'elsewhere',
} as const satisfies OptionKinds<ExposeOptions>
