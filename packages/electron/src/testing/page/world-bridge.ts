import type { Carried, StructuredText } from '../structured-text.js'

/** One world's half of `contextBridge`. Made by {@link createWorldBridge}. */
export interface WorldBridge {
  /** Puts an api on the other world's `window`, as `contextBridge.exposeInMainWorld` does. */
  expose(key: string, api: unknown): void
}

/**
 * `contextBridge` in stock Chromium: the two worlds of a page share its DOM, so that calls travel as
 * the text of synchronous events on `window`. Values are copied, functions and promises become
 * proxies, and what can't cross, such as a MessagePort, arrives as `{}`.
 *
 * Self-contained on purpose: its source is what runs in both worlds of a page.
 *
 * @param secret - Names the events; no page can know it.
 * @param side - Whose half this is.
 */
export function createWorldBridge(
  secret: string,
  side: 'isolated' | 'main',
  createStructuredText: (carried: Carried) => StructuredText,
): WorldBridge {
  type Call =
    | { type: 'expose'; key: string; api: unknown }
    | { type: 'call'; id: number; args: unknown[] }
    | { type: 'settle'; id: number; ok: boolean; value: unknown }

  const other = side === 'isolated' ? 'main' : 'isolated'
  const functions: ((...args: unknown[]) => unknown)[] = []
  const waiting = new Map<number, { resolve(v: unknown): void; reject(e: unknown): void }>()
  let lastPromise = 0
  // Taken before any script of the page could replace them.
  const CustomEventOf = CustomEvent
  const dispatch = window.dispatchEvent.bind(window)
  let answer: string | undefined

  const text = createStructuredText({
    leave(value) {
      if (typeof value === 'function') return { function: functions.push(value as never) - 1 }
      if (value instanceof Promise) {
        const id = ++lastPromise
        value.then(
          (result) => say({ type: 'settle', id, ok: true, value: result }),
          (error) => say({ type: 'settle', id, ok: false, value: asError(error) }),
        )
        return { promise: id }
      }
      if (value instanceof MessagePort || value instanceof Event) return { nothing: true }
      return undefined
    },
    arrive(name) {
      const { function: id, promise } = name as { function?: number; promise?: number }
      if (id !== undefined) return (...args: unknown[]) => say({ type: 'call', id, args })
      if (promise === undefined) return {}
      return new Promise((resolve, reject) => waiting.set(promise, { resolve, reject }))
    },
  })

  function asError(error: unknown): unknown {
    return error instanceof Error ? new Error(error.message) : error
  }

  /** Says it to the other world, which answers before this returns. */
  function say(call: Call): unknown {
    answer = undefined
    dispatch(new CustomEventOf(`${secret}:${other}`, { detail: text.stringify(call) }))
    const [ok, value] = text.parse(answer ?? text.stringify([true, undefined])) as [
      boolean,
      unknown,
    ]
    answer = undefined
    if (!ok) throw value
    return value
  }

  function hear(call: Call): unknown {
    if (call.type === 'call') return functions[call.id]?.(...call.args)
    if (call.type === 'settle') {
      const promise = waiting.get(call.id)
      waiting.delete(call.id)
      if (call.ok) promise?.resolve(call.value)
      else promise?.reject(call.value)
      return undefined
    }
    if (Object.hasOwn(window, call.key)) {
      throw new Error('Cannot bind an API on top of an existing property on the window object')
    }
    Object.defineProperty(window, call.key, { value: freeze(call.api), enumerable: true })
    return undefined
  }

  function freeze(value: unknown): unknown {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
    for (const member of Object.values(value)) freeze(member)
    return Object.freeze(value)
  }

  window.addEventListener(`${secret}:${side}`, (event) => {
    event.stopImmediatePropagation()
    let said: string
    try {
      said = text.stringify([true, hear(text.parse((event as CustomEvent<string>).detail) as Call)])
    } catch (error) {
      said = text.stringify([false, asError(error)])
    }
    dispatch(new CustomEventOf(`${secret}:${other}:answer`, { detail: said }))
  })
  window.addEventListener(`${secret}:${side}:answer`, (event) => {
    answer = (event as CustomEvent<string>).detail
  })

  return { expose: (key, api) => void say({ type: 'expose', key, api }) }
}
