import { jsonCodec, RpcConfigError, RpcError } from '@flashrpc/core'
import { createDiscovery } from '@flashrpc/core/discovery'
import { pythonDialect } from '@flashrpc/core/python'
import { describe, expect, test } from 'vitest'

/** Also of a union. */
type NameOf<Options> = Options extends unknown ? keyof Options : never

/** Of an option: a value that is taken and, unless it takes any, one that is not. */
type Values = readonly [right: unknown, wrong?: unknown]

/** A function, or an option, that takes an object of options. */
export interface OptionCase {
  /** As errors name it. */
  readonly where: string
  /** The options that it can't do without, or that others need. */
  readonly needed: Readonly<Record<string, unknown>>
  /** Gives it options. What can be closed is. */
  readonly give: (options: never) => unknown
  readonly values: Readonly<Record<string, Values>>
  /** Whether anything but an object may be given in its place. */
  readonly isEither?: boolean
}

export const hook = () => {}

/** Values of options that are functions, numbers, and flags: one that is taken, and one that is not. */
export const FUNCTIONS = [hook, 'x'] as const
export const NUMBER = [7, 'x'] as const
export const FLAG = [true, 'x'] as const

/** Values of the options that all channels have. */
export const CHANNEL = {
  timeout: NUMBER,
  limits: [{ batch: 5 }, 5],
  heartbeat: [false, 5],
  exposeErrors: FLAG,
  fallback: FUNCTIONS,
  waitForMount: NUMBER,
  discover: [createDiscovery(), 'x'],
  use: [[(_: unknown, next: () => unknown) => next()], 'x'],
  plain: FLAG,
  traceCalls: FLAG,
  logger: [false, 5],
  dialect: [pythonDialect(), 'x'],
  codec: [jsonCodec, 'x'],
  frameType: ['binary', 'x'],
} as const

/** A case with values for each option of a type, so that none is forgotten. */
export function optionCase<Options>(
  where: string,
  give: (options: Options) => unknown,
  values: { readonly [K in NameOf<Options> & string]-?: Values },
  needed: Partial<Options> = {},
): OptionCase {
  return {
    where,
    give: give as (options: never) => unknown,
    values,
    needed: needed as OptionCase['needed'],
  }
}

/** Tests of each case: what is known is taken, and what is unknown or wrong is refused. */
export function testOptions(cases: readonly OptionCase[]): void {
  describe.each(cases)('$where', ({ where, give, values, needed, isEither }) => {
    const names = Object.keys(values)
    const failure = (options: unknown) => failureOf(() => give(options as never))

    test.each(names)('takes %s, and undefined in its place', async (name) => {
      expect(await failure({ ...needed, [name]: values[name]?.[0] })).toBeUndefined()
      if (name in needed) return
      expect(await failure({ ...needed, [name]: undefined })).toBeUndefined()
    })

    test.each(names.filter((name) => (values[name] as Values).length === 2))(
      'refuses a wrong value of %s',
      async (name) => {
        const thrown = await failure({ ...needed, [name]: values[name]?.[1] })
        expect(thrown).toBeInstanceOf(RpcConfigError)
        expect((thrown as Error).message).toContain(name)
      },
    )

    test.each(names)('refuses a misspelt %s, and says which name is near', async (name) => {
      const misspelt = `${name}x`
      const thrown = await failure({ ...needed, [misspelt]: values[name]?.[0] })
      expect(thrown).toBeInstanceOf(RpcConfigError)
      const message = `${where} has no option "${misspelt}". Did you mean "${name}"?`
      expect((thrown as Error).message).toBe(message)
      // With any value: it may be defined in another environment.
      expect(await failure({ ...needed, [misspelt]: undefined })).toMatchObject({ message })
    })

    test('names all options if none is near, and has no others', async () => {
      const thrown = await failure({ ...needed, ζζζζζζζζ: 1 })
      const { message } = thrown as Error
      expect(message).toMatch(/^.* has no option "ζζζζζζζζ"\. It has /)
      const listed = message.slice(message.indexOf('It has ') + 'It has '.length).split(', ')
      expect(listed.toSorted()).toStrictEqual(names.toSorted())
    })

    test('counts own enumerable members only', async () => {
      const inherited = Object.assign(Object.create({ unknownOption: 1 }), needed)
      Object.defineProperty(inherited, 'hiddenOption', { value: 1, enumerable: false })
      expect(await failure(inherited)).toBeUndefined()
    })

    if (isEither) return
    test.each([null, 5, 'text', true])('refuses %j in place of options', async (wrong) => {
      const thrown = await failure(wrong)
      expect(thrown).toBeInstanceOf(RpcConfigError)
      expect((thrown as Error).message).toContain(`${where} takes an object of options, not `)
    })
  })
}

/** What it throws, or rejects with; undefined if it does neither. What it opens is closed. */
export async function failureOf(run: () => unknown): Promise<unknown> {
  try {
    const opened = await run()
    const { close } = Object(opened) as { close?: () => unknown }
    if (typeof close === 'function') await close.call(opened)
    return undefined
  } catch (thrown) {
    return thrown
  }
}

/** Values that are no one's options, names, handlers or connections. */
export const NONSENSE = [undefined, null, 5, 'text', {}, [], true, Symbol('no'), () => {}] as const

// biome-ignore lint/suspicious/noExplicitAny: it stands for every function
type Call = (...args: any) => unknown

/** A function of the public interface, with what it is given in place of each argument. */
export type Entry = readonly [name: string, call: Call, most?: number]

/** Tests that an entry throws errors of this library only, whatever it is given. */
export function testNonsense(entries: readonly Entry[]): void {
  const cases = entries.map(([name, call, most = 2]) => ({ name, call, most }))
  test.each(cases)('$name', async ({ call, most }) => {
    for (const args of combinations(most)) {
      const thrown = await failureOf(() => call(...args))
      if (thrown === undefined) continue
      const given = args.map(String.bind(undefined)).join(', ')
      expect(thrown, given).toBeInstanceOf(RpcError)
      expect((thrown as Error).message, given).not.toMatch(/undefined \(reading|is not a function/)
    }
  })
}

/** All lists of so many values, and shorter ones. */
function combinations(most: number): readonly (readonly unknown[])[] {
  let all: readonly (readonly unknown[])[] = [[]]
  for (let n = 0; n < most; n++) {
    all = [
      ...all,
      ...all
        .filter(({ length }) => length === n)
        .flatMap((args) => NONSENSE.map((value) => [...args, value])),
    ]
  }
  return all
}
