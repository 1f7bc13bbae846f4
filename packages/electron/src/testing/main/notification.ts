import { EventEmitter } from 'node:events'
import type { NotificationConstructorOptions } from 'electron'
import type { BenchRecord } from './bench-record.js'
import { throwOnUnplayed } from './unplayed.js'

/** Electron's Notification: never seen; what was shown is in the record. */
export class PlayedNotification extends EventEmitter {
  readonly #record: BenchRecord
  title: string
  body: string
  silent: boolean

  constructor(record: BenchRecord, options: NotificationConstructorOptions = {}) {
    super()
    this.#record = record
    this.title = options.title ?? ''
    this.body = options.body ?? ''
    this.silent = options.silent ?? false
  }

  show(): void {
    this.#record.notifications.push({ title: this.title, body: this.body })
    this.emit('show')
  }

  close(): void {
    this.emit('close')
  }
}

throwOnUnplayed(PlayedNotification, 'Notification')
