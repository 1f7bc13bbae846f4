import { RpcConfigError } from '@flashrpc/core'
import { quoted } from '@flashrpc/core/internal'
import type { IpcMain, IpcMainEvent, MessagePortMain } from 'electron'
import { HAND_OVER_CHANNEL, type HandOver, readHandOver } from '../hand-over.js'
import { refusePort } from '../refuse-port.js'
import { type ElectronPage, senderOf } from './page.js'

/** A port that was handed over, and by whom. */
export interface HandedOver {
  readonly handOver: HandOver
  readonly port: MessagePortMain
  readonly page: ElectronPage
}

/** A hand-over that nobody could take. */
export interface Misdirected {
  readonly ports: readonly MessagePortMain[]
  readonly page: ElectronPage | undefined
  readonly code: number
  readonly reason: string
}

/** Takes ports that pages hand over. None of its functions throws. */
export interface Taker {
  readonly name: string
  /** Whether a port of this name, from this window, is meant for it. */
  takes(name: string, webContentsId: number): boolean
  take(handedOver: HandedOver): void
  /** Told of what nobody could take. */
  refused(misdirected: Misdirected): void
}

/** Those who take ports, of each `ipcMain`: they share its one channel. */
const takersOf = new WeakMap<IpcMain, Takers>()

/**
 * Adds who takes ports.
 *
 * @returns takes it away again.
 * @throws {RpcConfigError} if its name is taken.
 */
export function addTaker(ipcMain: IpcMain, taker: Taker): () => void {
  const takers = takersOf.get(ipcMain) ?? new Takers(ipcMain)
  takersOf.set(ipcMain, takers)
  takers.add(taker)
  return () => takers.remove(taker)
}

class Takers {
  readonly #ipcMain: IpcMain
  readonly #takers = new Set<Taker>()

  constructor(ipcMain: IpcMain) {
    this.#ipcMain = ipcMain
  }

  add(taker: Taker): void {
    const { name } = taker
    if ([...this.#takers].some((other) => other.name === name)) {
      throw new RpcConfigError(
        `There is a host with the name "${name}" already: give this one another, and its pages electronTransport({ name })`,
      )
    }
    if (this.#takers.size === 0) this.#ipcMain.on(HAND_OVER_CHANNEL, this.#onHandOver)
    this.#takers.add(taker)
  }

  remove(taker: Taker): void {
    if (!this.#takers.delete(taker)) return
    if (this.#takers.size === 0) this.#ipcMain.removeListener(HAND_OVER_CHANNEL, this.#onHandOver)
  }

  readonly #onHandOver = (event: IpcMainEvent, message: unknown): void => {
    const page = senderOf(event)
    const ports = event.ports ?? []
    const refuse = (code: number, reason: string): void => {
      for (const port of ports) refusePort(port, code, reason)
      for (const taker of this.#takers) taker.refused({ ports, page, code, reason })
    }
    const handOver = readHandOver(message)
    const [port] = ports
    if ('wrong' in handOver) return refuse(4400, handOver.wrong)
    if (port === undefined || ports.length > 1) {
      return refuse(4400, `A hand-over has one port; this one has ${ports.length}`)
    }
    if (page === undefined) return refuse(4400, 'The frame that handed the port over is gone')
    const { name } = handOver
    const taker = [...this.#takers].find((one) => one.takes(name, page.webContentsId))
    if (taker) return taker.take({ handOver, port, page })
    const names = [...this.#takers].map((one) => `"${one.name}"`).join(', ')
    // It may be made, or piped, a little later.
    refuse(
      1013,
      `Main has nothing of the name ${quoted(name)} for this window; its hosts are ${names}`,
    )
  }
}
