import {
  type Channel,
  type ChannelOptions,
  type Codec,
  jsonCodec,
  RpcError,
  type SomeHandlers,
} from '@flashrpc/core'
import { msgpackCodec } from '@flashrpc/core/msgpack'

export interface EchoServer {
  /** Gives back what it got. */
  echo(params: { value: unknown }): unknown
  /** Calls the caller's `echo`. */
  echoBack(params: { value: unknown }): unknown
  /** Fails, with this as the error's data. */
  fail(params: { data: unknown }): never
  /** Remembers a value. */
  note(params: { value: unknown }): void
  /** What `note` was told, which is forgotten. */
  notes(): unknown[]
  /** Waits for ever. */
  hang(): void
}

export interface EchoClient {
  echo(params: { value: unknown }): unknown
}

export type EchoChannel = Channel<EchoClient, EchoServer>

/** The serving end of a channel. */
export function createEchoMethods(): SomeHandlers<EchoServer, Channel<EchoServer, EchoClient>> {
  const notes: unknown[] = []
  return {
    echo: ({ value }) => value,
    echoBack: ({ value }, { channel }) => channel.other.echo({ value }),
    fail: ({ data }) => {
      throw new RpcError(4001, 'On purpose', data)
    },
    note: ({ value }) => void notes.push(value),
    notes: () => notes.splice(0),
    hang: () => new Promise<void>(() => {}),
  }
}

/** The formats that come with the library, by a name that can cross to a worker. */
export const formats: Record<string, { codec: Codec; frameType?: 'text' | 'binary' }> = {
  'JSON in text frames': { codec: jsonCodec },
  'JSON in binary frames': { codec: jsonCodec, frameType: 'binary' },
  MessagePack: { codec: msgpackCodec },
}

/** Options of either end, with room for large values. */
export function echoOptions(format: string): ChannelOptions {
  const mebibyte = 1024 * 1024
  return { ...formats[format], limits: { message: 8 * mebibyte, queuedBytes: 8 * mebibyte } }
}
