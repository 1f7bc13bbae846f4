import {
  type AnyClient,
  type ClientState,
  createClient,
  type HandlerContext,
  type Logger,
  type SendOptions,
} from '@flashrpc/core'
import { msgpackCodec } from '@flashrpc/core/msgpack'
import { pythonDialect } from '@flashrpc/core/python'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { type OutputFlags, say } from './output.js'
import { unlessStopped } from './stopped.js'

/** A connected client of a server of which nothing is known. */
export interface Connected
  extends Pick<AnyClient, 'state' | 'subscribe' | 'close'>,
    AsyncDisposable {
  call(method: string, params?: object, options?: SendOptions): Promise<unknown>
  stream(method: string, params?: object, options?: SendOptions): AsyncIterable<unknown>
  notify(method: string, params?: object): Promise<void>
}

/** The flags for the connection. */
export interface ConnectionFlags extends OutputFlags {
  header?: Record<string, string>
  codec: 'json' | 'msgpack'
  dialect?: 'json-rpc' | 'python'
  plain?: boolean
  /** In ms. */
  timeout: number
}

/**
 * The largest message, in bytes. It is larger than the default of a client: a person who asks for much data on a
 * command line wants it.
 */
const MAX_MESSAGE = 64 * 1024 * 1024

/**
 * Says on standard error if a frame can't be read, or breaks the protocol. The commands themselves say how the
 * connection comes and goes, and a notification that the server sends to nobody is not an error here.
 */
const logger: Logger = {
  debug() {},
  warn() {},
  error(text, context) {
    if (context?.phase === 'frame') say(text)
  },
}

/** The options of all commands. */
export function addConnectionOptions(command: Command): Command {
  return command
    .option(
      '-H, --header <name:value>',
      'a header of the request to connect; again for more',
      header,
    )
    .addOption(
      new Option('--codec <name>', 'how messages are written, as the server does')
        .choices(['json', 'msgpack'])
        .default('json'),
    )
    .option(
      '-t, --timeout <ms>',
      'for connecting, for each answer and, where it is given, for each item of a stream',
      wholeNumber,
      30_000,
    )
    .option('--plain', 'the server speaks plain JSON-RPC 2.0, and ignores what it does not know')
    .option('--pretty', 'print for people, as on a terminal')
    .option('--json', 'print JSON, errors too')
}

/** For commands that Python's flashrpc and fastapi_websocket_rpc can answer. */
export function dialectOption(): Option {
  return new Option('--dialect <name>', "python: that of Python's flashrpc, fastapi_websocket_rpc")
    .choices(['json-rpc', 'python'])
    .default('json-rpc')
}

/** @throws {InvalidArgumentError} if an option is not a whole number, from 1. */
export function wholeNumber(text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0 && value < 2 ** 31) return value
  throw new InvalidArgumentError('It must be a whole number, from 1.')
}

function header(text: string, others: Record<string, string> = {}): Record<string, string> {
  const colon = text.indexOf(':')
  if (colon < 1) throw new InvalidArgumentError('Write it as NAME:VALUE.')
  return { ...others, [text.slice(0, colon).trim()]: text.slice(colon + 1).trim() }
}

/** The functions of a command that handle the messages of the server. */
export interface Listening {
  /** Answers the server's calls. Default: answered −32601. */
  fallback?: (params: unknown, context: HandlerContext) => unknown
  /** Told of each change, ahead of what the server sends. */
  onState?: (state: ClientState) => void
}

/**
 * Connects.
 *
 * @throws {RpcDisconnectedError} if the first attempt fails. Later losses are mended, as clients do.
 */
export async function connect(
  url: string,
  { header, codec, dialect, plain, timeout }: ConnectionFlags,
  stop: AbortSignal,
  { fallback, onState }: Listening = {},
): Promise<Connected> {
  const client = createClient<object>({
    url,
    ...(header && { headers: header }),
    timeout,
    connectTimeoutMs: timeout,
    limits: { message: MAX_MESSAGE },
    logger,
    ...(codec === 'msgpack' && { codec: msgpackCodec }),
    ...(dialect === 'python' && { dialect: pythonDialect() }),
    ...(plain && { plain }),
    ...(fallback && { fallback }),
    // Which names there are, and which of them are streams, no type says.
  }) as unknown as Connected
  if (onState) client.subscribe(onState)
  try {
    await unlessStopped(firstConnection(client), stop)
    return client
  } catch (thrown) {
    await client.close()
    throw thrown
  }
}

function firstConnection(client: Connected): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const { status, lastError } = client.state
      if (status !== 'connected' && !lastError) return
      leave()
      if (status === 'connected') resolve()
      else reject(lastError)
    }
    const leave = client.subscribe(look)
    look()
  })
}
