import {
  type AnyClient,
  type CallOptions,
  RpcDisconnectedError,
  type RpcError,
} from '@flashrpc/core'
import { createStore, type StoreApi } from 'zustand/vanilla'
import { newest } from './newest.js'

/** The state of a stream that is read. */
export interface StreamState<Item = unknown> {
  /** The item that came last; undefined before the first. */
  readonly latest: Item | undefined
  /** The newest items, the last one at the end, as many as are kept. */
  readonly items: readonly Item[]
  /**
   * `idle`: not asked for. `waiting`: asked for, and nothing has come yet; after a lost connection, again.
   * `streaming`: items come. `paused`: none are taken. `done`: the last one has come. `failed`: see `error`.
   */
  readonly status: 'idle' | 'waiting' | 'streaming' | 'paused' | 'done' | 'failed'
  /** Why it failed; otherwise null. */
  readonly error: RpcError | null
}

export const IDLE_STREAM: StreamState<never> = {
  latest: undefined,
  items: [],
  status: 'idle',
  error: null,
}

/** How many items are kept by default. */
const MOST_KEPT = 100

/** So long, in ms, one state is published at the least while items come: about a frame. */
const FRAME_MS = 16

/** The state without the pause. */
type Phase = Exclude<StreamState['status'], 'idle' | 'paused'>

const WAITING: StreamState<never> = { ...IDLE_STREAM, status: 'waiting' }

/** The options that may change at every render. */
export interface StreamReaderOptions {
  /** How many items are kept. Default 100. */
  readonly keep?: number
  /** Whether the stream is asked for again if it was lost with its connection. Default true. */
  readonly restart?: boolean
  /** Is told each item, in its order. */
  readonly onItem?: (item: never) => void
}

/**
 * Reads one stream while it is held. `onItem` gets every item. The state is published at the end of a turn, and at
 * most about once a frame, so that a fast stream renders no more often than a browser can show.
 */
export class StreamReader {
  readonly store: StoreApi<StreamState> = createStore<StreamState>(() => WAITING)
  readonly #client: AnyClient
  readonly #method: string
  readonly #params: unknown
  readonly #callOptions: Pick<CallOptions, 'timeout'>
  #options: StreamReaderOptions = {}
  #holders = 0
  #reading: AbortController | undefined
  #isPaused = false
  /** Resumes a stream that is paused. */
  #wake = (): void => {}
  #publishing: ReturnType<typeof setTimeout> | undefined
  #publishedAt = 0
  /** The state that is published next. */
  #phase: Phase = 'waiting'
  #error: RpcError | null = null
  #latest: unknown
  #items: unknown[] = []

  constructor(
    client: AnyClient,
    method: string,
    params: unknown,
    callOptions: Pick<CallOptions, 'timeout'>,
  ) {
    this.#client = client
    this.#method = method
    this.#params = params
    this.#callOptions = callOptions
  }

  /** Goes by these options from now on. */
  follow(options: StreamReaderOptions): void {
    this.#options = options
  }

  /** Reads it while anybody holds it. Both wait for the end of the turn, as StrictMode wants it. */
  hold(): () => void {
    this.#holders++
    queueMicrotask(() => this.#settle())
    return () => {
      this.#holders--
      queueMicrotask(() => this.#settle())
    }
  }

  /** Takes no items, so that the other side has no credit to send more; or goes on. */
  pause(isPaused: boolean): void {
    if (isPaused === this.#isPaused) return
    this.#isPaused = isPaused
    this.#wake()
    this.#publish()
  }

  /** Asks for the stream again, if it is held: after it has ended, or instead of the run that goes on. */
  readonly restart = (): void => {
    if (!this.#reading) return
    this.#stop()
    this.#start()
  }

  #settle(): void {
    if (this.#holders > 0 === (this.#reading !== undefined)) return
    if (this.#reading) this.#stop()
    else this.#start()
  }

  #start(): void {
    this.#reading = new AbortController()
    void this.#read(this.#reading.signal)
  }

  #stop(): void {
    this.#reading?.abort()
    this.#reading = undefined
    this.#wake()
    clearTimeout(this.#publishing)
    this.#publishing = undefined
  }

  /** To its end, over as many runs as it takes. */
  async #read(signal: AbortSignal): Promise<void> {
    for (;;) {
      this.#become('waiting')
      const error = await this.#run(signal)
      if (signal.aborted) return
      if (!error) return this.#become('done')
      if (!(error instanceof RpcDisconnectedError && (this.#options.restart ?? true))) {
        return this.#become('failed', error)
      }
      const { status } = this.#client.state
      const hasStopped = status === 'failed' || status === 'unauthorized' || status === 'closed'
      if (hasStopped) this.#become('failed', error)
      else this.#become('waiting')
      if (!(await connected(this.#client, signal))) return
    }
  }

  /** @returns why it failed; undefined if it ended. */
  async #run(signal: AbortSignal): Promise<RpcError | undefined> {
    const options = { ...this.#callOptions, signal }
    try {
      await this.#whileOpen(signal)
      if (signal.aborted) return undefined
      for await (const item of this.#client.stream(this.#method, this.#params, options)) {
        if (signal.aborted) return undefined
        this.#take(item)
        await this.#whileOpen(signal)
      }
      return undefined
    } catch (thrown) {
      return thrown as RpcError
    }
  }

  /** Waits while it is paused. */
  async #whileOpen(signal: AbortSignal): Promise<void> {
    while (this.#isPaused && !signal.aborted) {
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  #take(item: unknown): void {
    // The items of an earlier run stay until there is another state to show.
    if (this.#phase === 'waiting') this.#items = []
    this.#phase = 'streaming'
    this.#latest = item
    const { keep = MOST_KEPT, onItem } = this.#options
    this.#items.push(item)
    // Up to twice as many, so that not every item moves all of them.
    if (this.#items.length > 2 * keep) this.#items = newest(this.#items, keep)
    onItem?.(item as never)
    // A timer, and no frame: hidden pages have none.
    this.#publishing ??= setTimeout(
      () => this.#publish(),
      Math.max(0, this.#publishedAt + FRAME_MS - performance.now()),
    )
  }

  #become(phase: Phase, error: RpcError | null = null): void {
    this.#phase = phase
    this.#error = error
    this.#publish()
  }

  #publish(): void {
    clearTimeout(this.#publishing)
    this.#publishing = undefined
    this.#publishedAt = performance.now()
    const isOver = this.#phase === 'done' || this.#phase === 'failed'
    this.store.setState({
      latest: this.#latest,
      items: newest(this.#items, this.#options.keep ?? MOST_KEPT),
      status: this.#isPaused && !isOver ? 'paused' : this.#phase,
      error: this.#error,
    })
  }
}

/** Waits until a client is connected. @returns false if the signal aborts first. */
function connected(client: AnyClient, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (isConnected: boolean) => {
      unsubscribe()
      signal.removeEventListener('abort', abort)
      resolve(isConnected)
    }
    const look = () => {
      if (signal.aborted) end(false)
      else if (client.state.status === 'connected') end(true)
    }
    const abort = () => end(false)
    const unsubscribe = client.subscribe(look)
    signal.addEventListener('abort', abort)
    look()
  })
}
