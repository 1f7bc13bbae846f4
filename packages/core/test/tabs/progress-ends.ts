import { type HandlerContext, RpcAbortedError } from '@flashrpc/core'
import { expect } from 'vitest'
import { polled } from '../support/eventually.js'
import { rejection } from '../support/rejection.js'

interface Way<Result> {
  readonly result: Result
  /** Serves the calls. */
  serve(handler: (context: HandlerContext) => Promise<Result>): void | Promise<void>
  call(options: object): Promise<Result>
  /** Makes another call, whose answer comes over the same way. */
  callAgain(): Promise<void>
}

/** Of two calls, one is cancelled and one ends: neither tells any progress after that. */
export async function expectProgressEnds<Result>(way: Way<Result>): Promise<void> {
  const { result } = way
  const calls: { tell(value: number): void; signal: AbortSignal; end(): void }[] = []
  await way.serve(
    ({ progress, signal }) =>
      new Promise((resolve) => {
        const tell = progress as (value: number) => void
        calls.push({ tell, signal, end: () => resolve(result) })
      }),
  )
  const told: number[] = []
  const onProgress = (n: number) => void told.push(n)
  const giveUp = new AbortController()
  const { signal } = giveUp
  const cancelled = rejection(way.call({ onProgress, signal }))
  const ended = way.call({ onProgress })
  await polled(() => calls.length).toBe(2)
  const [one, two] = calls
  one?.tell(1)
  two?.tell(2)
  await polled(() => [...told].sort()).toEqual([1, 2])
  giveUp.abort()
  expect(await cancelled).toBeInstanceOf(RpcAbortedError)
  one?.tell(3)
  await polled(() => one?.signal.aborted).toBe(true)
  one?.tell(4)
  two?.tell(5)
  two?.end()
  expect(await ended).toBe(result)
  two?.tell(7)
  // Its answer comes after all of that.
  await way.callAgain()
  expect(told).toEqual([1, 2, 5])
}
