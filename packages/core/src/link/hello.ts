import { ErrorCode } from '../errors/errors.js'
import { quoted } from '../errors/quoted.js'
import { type FrameType, jsonCodec } from '../wire/codec.js'
import type { Format } from '../wire/format.js'
import type { ErrorObject, RequestMessage } from '../wire/message.js'

/**
 * The first exchange on a connection (docs/protocol.md, "Hello"): who speaks more than JSON-RPC 2.0
 * says so, and who does not is served as a plain peer.
 */

/** What a server says in its hello of the results that it keeps by key (docs/protocol.md, "Keys"). */
export interface Keys {
  /** Names the results that the client's keys lead to. */
  readonly store: string
  /** How long a result is kept at least, in ms. */
  readonly ttlMs: number
}

/** The version of the extensions. */
export const PROTOCOL_VERSION = 1
/** The id of the hello request: a string, so that it meets none of our calls' integers. */
export const HELLO_ID = 'rpc:1'
export const HELLO = 'rpc.hello'

/** How the sender writes, and what it can read. */
export interface HelloFormat {
  /** The name of its codec, which must be the other side's too. */
  readonly codec: string
  /** In which frames its messages travel. Default `text`. */
  readonly frames?: FrameType
  /** Whether it takes bytes in frames of their own. Default false. */
  readonly bytes?: boolean
}

/** client → server, first frame of a connection. */
export interface HelloParams extends HelloFormat {
  readonly v: number
  /** The `id` of the client's channel, which is the same at each connection. */
  readonly id?: string
  /** Counts the client's connections, from 1. */
  readonly attempt: number
  /** Which of its methods have a handler now. Default none. */
  readonly methods?: readonly string[] | undefined
  readonly limits: HelloLimits
  /** The session that the client would go on with. */
  readonly resume?: Resume
}

/** Which session goes on, that it is the client's, and how far it has come there. */
export interface Resume {
  readonly sid: string
  readonly token: string
  /** How many counted messages of the server the client has dispatched. */
  readonly recv: number
}

/** server → client, the answer. */
export interface HelloResult extends HelloFormat {
  readonly v: number
  /** The session's id: the `id` of the server's channel. */
  readonly sid: string
  /** Whether this connection continues an earlier one. */
  readonly resumed: boolean
  /** The window, in ms, over which clients come back that have lost their server together. */
  readonly spreadMs: number
  readonly limits: HelloLimits
  /** Where results are kept by key: whose, and for how long. */
  readonly keys?: Keys
  /** Where a session is kept: proves at the next connection that it is the client's. */
  readonly token?: string
  /** How many counted messages of the client the server has dispatched in this session. */
  readonly recv?: number
  /** The same, of the session that can't go on, where that is known. */
  readonly lastRecv?: number
  /** How long the session outlives a connection, in ms. */
  readonly windowMs?: number
}

/** What the sender of these limits accepts. */
export interface HelloLimits {
  /** The largest message, in bytes. */
  readonly msg: number
  /** How many messages, in one frame. Default 1. */
  readonly batch?: number
  /** How many levels of JSON a message may nest, itself the first. If it is missing, the sender has not said. */
  readonly depth?: number
  /** How much the sender keeps of a session until it is acknowledged, in bytes. */
  readonly buf?: number
}

/** What a side tells of its format. Other codecs than JSON carry bytes among their own. */
export function helloFormat({ codec, frameType }: Format): HelloFormat {
  return {
    codec: codec.name,
    ...(frameType === 'binary' && { frames: frameType }),
    ...(codec === jsonCodec && { bytes: true }),
  }
}

/**
 * The hello, and its answer, are JSON whatever the codec is.
 *
 * @returns the one or the other, decoded, where the text is such; otherwise `undefined`.
 */
export function readHelloFrame(text: string): unknown {
  const message = readJson(text) as { id?: unknown; method?: unknown } | null | undefined
  return message?.method === HELLO || message?.id === HELLO_ID ? message : undefined
}

/** @returns the value, or `undefined` where the text is no JSON. */
export function readJson(text: string): unknown {
  try {
    return jsonCodec.decode(text)
  } catch {
    return undefined
  }
}

/** What a side is told whose codec is not the other's. */
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

/** @returns the params, or `undefined` where they are not a hello's. */
export function readHelloParams(value: unknown): HelloParams | undefined {
  const hello = value as Partial<HelloParams> | undefined
  const valid =
    isPositiveInteger(hello?.v) && isPositiveInteger(hello.attempt) && hasLimits(hello.limits)
  const { id, codec, resume, methods = [] } = hello ?? {}
  const named = typeof codec === 'string' && (id === undefined || isChannelId(id))
  const resumes = resume === undefined || isResume(resume)
  return valid && named && resumes && readMethods(methods) ? (hello as HelloParams) : undefined
}

/** The number in it is not looked at: where it is wrong, that is said by a close code. */
function isResume(value: unknown): value is Resume {
  const { sid, token } = (value ?? {}) as Partial<Resume>
  return isChannelId(sid) && isChannelId(token)
}

/** @returns the result, or `undefined` where it is not a hello's. */
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
    // Of which too little is said, it has none: then nothing with a key is sent.
    ...(isKeys(keys) && { keys }),
    codec: String(codec),
    resumed: resumed === true,
    // An endless spread (1e999 reads as that) would keep a client away for ever.
    spreadMs: Number.isFinite(spreadMs) ? (spreadMs as number) : 0,
  }
}

function isKeys(value: unknown): value is Keys {
  const { store, ttlMs } = (value ?? {}) as Partial<Keys>
  return isChannelId(store) && Number.isFinite(ttlMs) && (ttlMs as number) > 0
}

/** Whoever makes an id makes a short one. */
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

/** @returns the names, or `undefined` where they are none. */
export function readMethods(value: unknown): readonly string[] | undefined {
  const isNames = Array.isArray(value) && value.every((name) => typeof name === 'string')
  return isNames ? value : undefined
}
