import { ErrorCode } from '../errors/errors.js'
import { quoted } from '../errors/quoted.js'
import { type FrameType, jsonCodec } from '../wire/codec.js'
import type { Format } from '../wire/format.js'
import type { ErrorObject, RequestMessage } from '../wire/message.js'

/**
 * The first exchange on a connection (docs/protocol.md, "Hello"). A side that understands the extensions says so; a
 * side that does not is treated as a plain peer.
 */

/** What a server's answer to the hello says about the results that it keeps by key (docs/protocol.md, "Keys"). */
export interface Keys {
  /** Identifies the results that belong to the client's keys. */
  readonly store: string
  /** The least time for which a result is kept, in ms. */
  readonly ttlMs: number
}

/** The version of the extensions. */
export const PROTOCOL_VERSION = 1
/** The id of the hello request: a string, so that it differs from the ids of our calls, which are integers. */
export const HELLO_ID = 'rpc:1'
export const HELLO = 'rpc.hello'

/** The format that the sender writes, and can read. */
export interface HelloFormat {
  /** The name of its codec, which must be the other side's too. */
  readonly codec: string
  /** The type of the frames that carry its messages. Default `text`. */
  readonly frames?: FrameType
}

/** client → server, first frame of a connection. */
export interface HelloParams extends HelloFormat {
  readonly v: number
  /** The `id` of the client's channel, which is the same at each connection. */
  readonly id?: string
  /** The number of this connection among the client's, from 1. */
  readonly attempt: number
  /** Those of its methods that have a handler now. Default none. */
  readonly methods?: readonly string[] | undefined
  readonly limits: HelloLimits
  /** The session that the client wants to resume. */
  readonly resume?: Resume
}

/**
 * The session to resume, the proof that it is the client's, and the number of messages that the client has dispatched.
 */
export interface Resume {
  readonly sid: string
  readonly token: string
  /** The number of the server's counted messages that the client has dispatched. */
  readonly recv: number
}

/** server → client, the answer. */
export interface HelloResult extends HelloFormat {
  readonly v: number
  /** The session's id: the `id` of the server's channel. */
  readonly sid: string
  /** Whether this connection continues an earlier one. */
  readonly resumed: boolean
  /** The window, in ms, over which clients reconnect that have lost the server together. */
  readonly spreadMs: number
  readonly limits: HelloLimits
  /** If results are kept by key: the name of the store, and for how long. */
  readonly keys?: Keys
  /** If a session is kept: proves on the next connection that the session is the client's. */
  readonly token?: string
  /** The number of the client's counted messages that the server has dispatched in this session. */
  readonly recv?: number
  /** The same number for the session that can't be resumed, if it is known. */
  readonly lastRecv?: number
  /** How long the session outlives a connection, in ms. */
  readonly windowMs?: number
}

/** The limits on what the sender accepts. */
export interface HelloLimits {
  /** The largest message, in bytes. */
  readonly msg: number
  /** The most messages in one frame. Default 1. */
  readonly batch?: number
  /** How many levels of JSON a message may nest, itself the first. If it is missing, the sender has not said. */
  readonly depth?: number
  /** The most bytes of a session that the sender keeps until they are acknowledged. */
  readonly buf?: number
}

/** @returns the members of a hello that describe a format. */
export function helloFormat({ codec, frameType, attachments }: Format): HelloFormat {
  return {
    codec: codec.name,
    ...(frameType === 'binary' && { frames: frameType }),
    ...attachments?.hello,
  }
}

/**
 * Reads a hello or its answer, which are JSON even if the codec is another.
 *
 * @returns the decoded hello or answer; `undefined` if the text is neither.
 */
export function readHelloFrame(text: string): unknown {
  const message = readJson(text) as { id?: unknown; method?: unknown } | null | undefined
  return message?.method === HELLO || message?.id === HELLO_ID ? message : undefined
}

/** @returns the value; `undefined` if the text is not JSON. */
export function readJson(text: string): unknown {
  try {
    return jsonCodec.decode(text)
  } catch {
    return undefined
  }
}

/** The text for both sides if their codecs differ. */
export function codecMismatch(client: string, server: string): string {
  return `Codec mismatch: client ${quoted(client)}, server ${quoted(server)}. Give both the same codec`
}

/** Whether an error is a codec mismatch, and not an error of a plain peer that has the same code by chance. */
export function isCodecMismatch({ code, data }: ErrorObject): boolean {
  const { client, server } = (data ?? {}) as { client?: unknown; server?: unknown }
  const hasNames = typeof client === 'string' && typeof server === 'string'
  return code === ErrorCode.codecMismatch && hasNames
}

export function helloMessage(params: HelloParams): RequestMessage {
  return { jsonrpc: '2.0', id: HELLO_ID, method: HELLO, params }
}

/** The message for a client whose hello was not answered within `ms` ms. */
export function helloUnanswered(ms: number): string {
  return `rpc.hello was not answered within ${ms} ms. If the other side speaks plain JSON-RPC 2.0 and ignores it, set the option plain: true`
}

/** @returns the params; `undefined` if they are not those of a hello. */
export function readHelloParams(value: unknown): HelloParams | undefined {
  const hello = value as Partial<HelloParams> | undefined
  const valid =
    isPositiveInteger(hello?.v) && isPositiveInteger(hello.attempt) && hasLimits(hello.limits)
  const { id, codec, resume, methods = [] } = hello ?? {}
  const named = typeof codec === 'string' && (id === undefined || isChannelId(id))
  const resumes = resume === undefined || isResume(resume)
  return valid && named && resumes && readMethods(methods) ? (hello as HelloParams) : undefined
}

/** The number in it is not checked here: if it is wrong, a close code reports that. */
function isResume(value: unknown): value is Resume {
  const { sid, token } = (value ?? {}) as Partial<Resume>
  return isChannelId(sid) && isChannelId(token)
}

/** @returns the result; `undefined` if it is not that of a hello. */
export function readHelloResult(value: unknown): HelloResult | undefined {
  const hello = value as Partial<HelloResult> | null
  const valid = isPositiveInteger(hello?.v) && isChannelId(hello.sid) && hasLimits(hello.limits)
  if (!valid) return undefined
  const { resumed, spreadMs, windowMs, token, keys, codec = jsonCodec.name, ...rest } = hello
  if (token !== undefined && !isChannelId(token)) return undefined
  return {
    ...(rest as Pick<HelloResult, 'v' | 'sid' | 'limits'>),
    ...(isPositiveInteger(windowMs) && { windowMs }),
    ...(token !== undefined && { token }),
    // If a member is missing, the server counts as having no store: then no call with a key is sent.
    ...(isKeys(keys) && { keys }),
    codec: String(codec),
    resumed: resumed === true,
    // An infinite window (1e999 is read as that) would keep a client away for ever.
    spreadMs: Number.isFinite(spreadMs) ? (spreadMs as number) : 0,
  }
}

function isKeys(value: unknown): value is Keys {
  const { store, ttlMs } = (value ?? {}) as Partial<Keys>
  return isChannelId(store) && Number.isFinite(ttlMs) && (ttlMs as number) > 0
}

/** The ids of a channel are short, so a long one is refused. */
function isChannelId(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 64
}

function hasLimits(value: unknown): value is HelloLimits {
  const { msg, batch = 1, depth = 1, buf = 1 } = (value ?? {}) as Partial<HelloLimits>
  return [msg, batch, depth, buf].every(isPositiveInteger)
}

function isPositiveInteger(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0
}

/** @returns the names; `undefined` if the value is not an array of names. */
export function readMethods(value: unknown): readonly string[] | undefined {
  const isNames = Array.isArray(value) && value.every((name) => typeof name === 'string')
  return isNames ? value : undefined
}
