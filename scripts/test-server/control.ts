import type {} from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where browser tests reach the {@link Control}. */
    controlUrl: string
  }
}

/** What a browser test may ask of the process that runs its servers. */
export interface Control {
  /** Starts a server with an endpoint; port 0 is any free one. */
  start(params: { port?: number }): Promise<{ port: number; url: string }>
  /** Starts a server that keeps sessions and knows no token "bad", behind a proxy that can cut its connections. */
  startProxied(params: Record<never, never>): Promise<{ port: number; url: string }>
  /** Cuts the connections of such a server, as a network would. */
  cut(params: { port: number }): Promise<void>
  /** Starts a server for the transports' suite, which one client connects to. */
  startSuite(params: Record<never, never>): Promise<{ port: number; url: string }>
  /** Starts a server of the same contract that has a worker thread serve its long calls. */
  startRelay(params: Record<never, never>): Promise<{ port: number; url: string }>
  /** Starts a server for the tests of codecs, which writes in this format. */
  startEcho(params: { format: string }): Promise<{ port: number; url: string }>
  /** Starts a server that traces its calls, and can be asked for its spans. */
  startTraced(params: Record<never, never>): Promise<{ port: number; url: string }>
  /** Starts a server that never answers the request for a WebSocket. */
  startSilent(params: Record<never, never>): Promise<{ port: number; url: string }>
  /** Stops a server as a deployment would: every socket is closed. */
  stop(params: { port: number }): Promise<void>
  /** How many channels are open, and how many connections there have ever been. */
  count(params: { port: number }): Promise<{ open: number; ever: number }>
  /** How many calls of pages run at a server. */
  running(params: { port: number }): Promise<number>
  /** What each page can be called for now: its methods' names, in their order. */
  mounted(params: { port: number }): Promise<string[][]>
  /** Calls every page connected to a server, and gathers what each answered. */
  callAll(params: {
    port: number
    method: 'confirm' | 'upper'
    text: string
  }): Promise<({ value: string } | { code: number; message: string; data: unknown })[]>
  /** Notifies every page connected to a server so many times within a turn, by its number from 1. */
  notifyMany(params: { port: number; times: number }): Promise<void>
  /** A page of hooks for a server, as React renders it in Node, as a stream. */
  renderPage(params: { url: string }): Promise<string>
  /** Notifies every page connected to a server. */
  notifyAll(params: { port: number; text: string }): Promise<void>
}
