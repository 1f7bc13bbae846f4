/** Of each signal, whom its one listener tells. */
const listeners = new WeakMap<AbortSignal, Listeners>()

interface Listeners {
  readonly callbacks: Set<() => void>
  readonly stop: () => void
}

/**
 * Tells of a signal's abort, by one listener however many want to know: a handler may pass its signal on to many
 * calls, and Node warns of more than ten who listen to one.
 *
 * @param callback called once, and must not throw.
 * @returns ends that; safe to call twice.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const told = listeners.get(signal) ?? listenTo(signal)
  told.callbacks.add(callback)
  return () => {
    told.callbacks.delete(callback)
    if (told.callbacks.size === 0 && listeners.get(signal) === told) told.stop()
  }
}

function listenTo(signal: AbortSignal): Listeners {
  const callbacks = new Set<() => void>()
  const abort = (): void => {
    listeners.delete(signal)
    for (const callback of [...callbacks]) callback()
  }
  signal.addEventListener('abort', abort, { once: true })
  const stop = (): void => {
    listeners.delete(signal)
    signal.removeEventListener('abort', abort)
  }
  const made = { callbacks, stop }
  listeners.set(signal, made)
  return made
}
