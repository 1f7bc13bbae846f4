import type { ServerChannel } from '@flashrpc/core/server'
import type { contract } from '../contract.js'

/** A connection to the demo: of a page, in a browser or in the app's window, or of `demo:ask`. */
export type DemoChannel = ServerChannel<(typeof contract)['server'], (typeof contract)['client']>

/** A page that is open now. */
export interface Page {
  readonly number: number
  readonly name: string
  readonly channel: DemoChannel
}

/** The pages that are open now, in the order of their numbers. */
export class Pages {
  readonly #byChannel = new Map<DemoChannel, Page>()
  #change = createChange()

  get size(): number {
    return this.#byChannel.size
  }

  /** Gives a page the number it wants, or the lowest one, whichever is free. */
  add(channel: DemoChannel, name: string, wanted = 1): Page {
    this.#byChannel.delete(channel)
    const taken = new Set(this.all().map((page) => page.number))
    let number = taken.has(wanted) ? 1 : wanted
    while (taken.has(number)) number++
    const page = { number, name, channel }
    this.#byChannel.set(channel, page)
    this.#tellChange()
    channel.onMethods(() => this.#tellChange())
    return page
  }

  /** @returns the page that this channel was of, if it was one. */
  remove(channel: DemoChannel): Page | undefined {
    const page = this.#byChannel.get(channel)
    if (this.#byChannel.delete(channel)) this.#tellChange()
    return page
  }

  /** Resolves when a page comes or goes, or the methods that can be called on it change. */
  changed(): Promise<void> {
    return this.#change.told
  }

  #tellChange(): void {
    const { tell } = this.#change
    this.#change = createChange()
    tell()
  }

  /** The page of this number, while it is open. */
  get(number: number): Page | undefined {
    return this.all().find((page) => page.number === number)
  }

  all(): Page[] {
    return [...this.#byChannel.values()].sort((a, b) => a.number - b.number)
  }
}

/** What is awaited until it is told. */
function createChange() {
  let tell = () => {}
  const told = new Promise<void>((resolve) => (tell = resolve))
  return { told, tell }
}
