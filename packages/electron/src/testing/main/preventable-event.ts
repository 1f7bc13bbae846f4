/** An Electron event's first argument: may be prevented, and has details of its own. */
export class PreventableEvent {
  #prevented = false

  constructor(details: object = {}) {
    Object.assign(this, details)
  }

  get defaultPrevented(): boolean {
    return this.#prevented
  }

  preventDefault(): void {
    this.#prevented = true
  }
}
