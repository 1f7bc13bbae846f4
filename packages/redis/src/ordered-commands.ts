/** The connection over which a command is sent. */
export type ConnectionName = 'publisher' | 'subscriber'

interface Command {
  readonly connection: ConnectionName
  readonly bytes: number
  readonly send: () => Promise<unknown>
}

/**
 * Sends commands over two connections, so that they take effect in the order in which they were given. Successive
 * commands for the same connection are sent at once. If the connection changes, all commands before must have been
 * answered.
 */
export class OrderedCommands {
  readonly #failed: (error: unknown) => void
  #queue: Command[] = []
  /** The connection of the commands that were sent and not answered. */
  #connection: ConnectionName = 'publisher'
  /** How many of these there are. */
  #open = 0
  #bytes = 0
  #given = 0
  #answered = 0
  #waiting: { readonly until: number; readonly resolve: () => void }[] = []
  /** Counts resets. Answers to commands before the last one are ignored. */
  #resets = 0

  /** @param failed told of each command that was answered with an error. */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed
  }

  /** Bytes of commands that were not answered. */
  get bytes(): number {
    return this.#bytes
  }

  add(connection: ConnectionName, send: () => Promise<unknown>, bytes = 0): void {
    this.#given++
    this.#bytes += bytes
    const command = { connection, bytes, send }
    if (this.#queue.length === 0 && (this.#open === 0 || this.#connection === connection))
      this.#send(command)
    else this.#queue.push(command)
  }

  /** Resolves when all commands that were given have been answered; never, if the connection is lost before. */
  settled(): Promise<void> {
    if (this.#answered === this.#given) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ until: this.#given, resolve }))
  }

  /** Forgets all: the connections were lost. */
  reset(): void {
    this.#resets++
    this.#queue = []
    this.#waiting = []
    this.#open = 0
    this.#bytes = 0
    this.#answered = this.#given
  }

  #send({ connection, bytes, send }: Command): void {
    const resets = this.#resets
    this.#connection = connection
    this.#open++
    const answered = () => {
      if (resets !== this.#resets) return
      this.#open--
      this.#answered++
      this.#bytes -= bytes
      this.#next()
    }
    send().then(answered, (error) => {
      if (resets === this.#resets) this.#failed(error)
      answered()
    })
  }

  #next(): void {
    while (this.#waiting[0] && this.#waiting[0].until <= this.#answered) {
      this.#waiting.shift()?.resolve()
    }
    if (this.#open > 0 || this.#queue.length === 0) return
    const connection = this.#queue[0]?.connection
    const end = this.#queue.findIndex((command) => command.connection !== connection)
    const run = this.#queue.splice(0, end < 0 ? this.#queue.length : end)
    for (const command of run) this.#send(command)
  }
}
