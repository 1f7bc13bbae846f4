import type { Definition, FlatSide, Schema, Side } from '../contract/contract.js'
import type { Issue } from '../errors/errors.js'
import type { NearestName } from '../errors/nearest.js'
import type { Printer } from '../logging/logger.js'
import type { Format } from '../wire/format.js'

/** Helps a developer to find a mistake: it finds what the texts of errors add to what is wrong. */
export interface Diagnostics {
  readonly nearest: NearestName
  /** Prints what is logged if the option `logger` is left out. */
  readonly printer: Printer
  /**
   * What a side of a contract has instead of a name, and what to do.
   *
   * @param otherSide the side of the other program, if handlers are looked for. It may have the name.
   * @param own the name of the side of this program, if handlers are looked for.
   */
  insteadOf(name: string, side: FlatSide, otherSide?: FlatSide, own?: Side): string
  /**
   * @param value the value that breaks the schema.
   * @returns the text about the kind of value that JSON did not carry; undefined if that is not the cause.
   */
  lostKind(
    format: Format,
    schema: Schema,
    value: unknown,
    issues: readonly Issue[],
  ): string | undefined
  /** The remedy for a value that can't be sent, if another codec could send it; otherwise an empty text. */
  remedyOfUnsent(format: Format, thrown: unknown): string
  /** @throws {TypeError} if the contract takes the dates in these params, but not their texts, which JSON makes of them. */
  assertDatesArrive(definition: Definition | undefined, params: unknown): void
  /** @param entry the function that the application has called and that runs now; undefined if that is not known. */
  trace(entry: Entry | undefined): CallTrace
}

/** The place where a call was made. */
export interface CallTrace {
  /** Makes the stack of an error show this place, and not where the error was made. */
  show(error: unknown): void
}

/** The function that an application calls. The stack begins at its caller: this library's own calls are left out. */
export type Entry = (...args: never[]) => unknown

/**
 * The key of a client's method that returns where a call is being made, and of the option of a call that carries the
 * place.
 */
export const TRACE = Symbol.for('flashrpc.trace')
