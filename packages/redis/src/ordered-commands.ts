/** Over which connection a command is sent. */
export type Way = 'publisher' | 'subscriber'

interface Command {
  readonly way: Way
  readonly bytes: number
  readonly send: () => Promise<unknown>
}

/**
 * Sends commands over two connections, so that they take effect in the order in which they were given. Commands that
 * follow each other on the same connection are sent at once; where the connection changes, all before must have been
 * answered.
 */
export class OrderedCommands {
  readonly #failed: (error: unknown) => void
  #queue: Command[] = []
  /** The connection of the commands that were sent and not answered. */
  #way: Way = 'publisher'
  /** How many of these there are. */
  #open = 0
  #bytes = 0
  #given = 0
  #answered = 0
  #waiting: { readonly until: number; readonly resolve: () => void }[] = []
  /** Answers to commands of before a reset count for nothing. */
  #era = 0

  /** @param failed told of each command that was answered with an error. */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed
  }

  /** Bytes of commands that were not answered. */
  get bytes(): number {
    return this.#bytes
  }

  add(way: Way, send: () => Promise<unknown>, bytes = 0): void {
    this.#given++
    this.#bytes += bytes
    const command = { way, bytes, send }
    if (this.#queue.length === 0 && (this.#open === 0 || this.#way === way)) this.#send(command)
    else this.#queue.push(command)
  }

  /** Resolves when all that was given has been answered; never, if it is lost before. */
  settled(): Promise<void> {
    if (this.#answered === this.#given) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ until: this.#given, resolve }))
  }

  /** Forgets all: the connections were lost. */
  reset(): void {
    this.#era++
    this.#queue = []
    this.#waiting = []
    this.#open = 0
    this.#bytes = 0
    this.#answered = this.#given
  }

  #send({ way, bytes, send }: Command): void {
    const era = this.#era
    this.#way = way
    this.#open++
    const answered = () => {
      if (era !== this.#era) return
      this.#open--
      this.#answered++
      this.#bytes -= bytes
      this.#next()
    }
    send().then(answered, (error) => {
      if (era === this.#era) this.#failed(error)
      answered()
    })
  }

  #next(): void {
    while (this.#waiting[0] && this.#waiting[0].until <= this.#answered) {
      this.#waiting.shift()?.resolve()
    }
    if (this.#open > 0 || this.#queue.length === 0) return
    const way = this.#queue[0]?.way
    const end = this.#queue.findIndex((command) => command.way !== way)
    const run = this.#queue.splice(0, end < 0 ? this.#queue.length : end)
    for (const command of run) this.#send(command)
  }
}
