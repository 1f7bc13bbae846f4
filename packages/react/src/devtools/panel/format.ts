import { LeftOut } from '../message-reader.js'

/** The time of day, to the ms. */
export function formatTime(ms: number): string {
  const date = new Date(ms)
  const two = (value: number) => String(value).padStart(2, '0')
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
  return `${time}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

export function formatDuration(ms: number | null): string {
  if (ms === null) return '…'
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}

export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${Math.round(bytes)} B`
  return bytes < 1_000_000
    ? `${(bytes / 1_000).toFixed(1)} kB`
    : `${(bytes / 1_000_000).toFixed(1)} MB`
}

/** `1 message`, `2 messages`. */
export function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** A value that came over a wire as JSON for people: bytes as hexadecimal, and what has no JSON by its name. */
export function formatJson(value: unknown): string {
  return JSON.stringify(value, replaced, 2) ?? 'undefined'
}

const SHOWN_BYTES = 32

function replaced(_key: string, value: unknown): unknown {
  if (value instanceof LeftOut) return `${formatBytes(value.byteLength)}, not kept`
  if (value instanceof Uint8Array) {
    const shown = value.subarray(0, SHOWN_BYTES)
    const hex = Array.from(shown, (byte) => byte.toString(16).padStart(2, '0')).join(' ')
    return `Uint8Array(${value.length}) ${hex}${value.length > SHOWN_BYTES ? ' …' : ''}`
  }
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Map) return { 'a Map of': [...value] }
  if (value instanceof Set) return { 'a Set of': [...value] }
  return value
}
