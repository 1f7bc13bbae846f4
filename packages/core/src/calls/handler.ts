import type { OptionKinds } from '../errors/assert-options.js'
import type { HandlerContext } from './functions.js'

/** A handler as those who run it know it: its params are validated, its types are gone. */
// biome-ignore lint/suspicious/noExplicitAny: the channels of all contracts, and only `any` is all
export type AnyHandler = (params: unknown, context: HandlerContext<any>) => unknown

/** Handlers, the newest of a name last. */
export type HandlersByName = ReadonlyMap<string, readonly AnyHandler[]>

/** How a handler is exposed. */
export interface ExposeOptions {
  /**
   * How long calls and notifications of its name wait for the next handler once this one is taken away, in ms.
   * Default: the channel's own `waitForMount`.
   */
  waitForMount?: number | undefined
}

export const EXPOSE_OPTIONS = {
  waitForMount: 'elsewhere',
} as const satisfies OptionKinds<ExposeOptions>
