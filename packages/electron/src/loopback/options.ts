import {
  type ChannelHooks,
  type ChannelOptions,
  type ContractSide,
  RpcConfigError,
} from '@flashrpc/core'
import {
  assertMs,
  assertOptions,
  type OptionKinds,
  SERVER_CHANNEL_OPTIONS,
} from '@flashrpc/core/internal'
import type { Authenticate, EndpointOptions, ServerChannel } from '@flashrpc/core/server'
import { assertOrigins } from '../origins.js'

/** What a loopback is made with: what an endpoint takes, but for who may connect. */
export interface LoopbackOptions<Local, Remote, Identity = unknown, Literal = never>
  extends Omit<ChannelOptions, 'discover' | 'use'>,
    ChannelHooks<ServerChannel<Local, Remote, Identity>>,
    Pick<
      EndpointOptions<Local, Remote, Identity, Literal>,
      'authorize' | 'discover' | 'methods' | 'onReject' | 'presence' | 'use'
    > {
  /**
   * The origins of this app's pages, as a browser writes them: `app://demo`, in development
   * `http://localhost:5173`. Compared letter by letter. `[]`: programs only. Pages need the token too.
   */
  origins: readonly string[]
  /**
   * Says who asks for a connection: what it returns is `identity` in every handler and on the channel.
   * Asked about requests with the right token only, and does not see it; the rest of the query, such as
   * `&window=2`, it does. Throw `RejectUpgrade` of `@flashrpc/core/server` to refuse; whatever else is
   * thrown refuses with HTTP 500.
   *
   * `identity` has its type. TypeScript reads from top to bottom: write it before the handlers.
   */
  identify?: Authenticate<Identity>
  /** How long `identify` may take, in ms; then the client is told 503. Default 10,000. */
  identifyTimeoutMs?: number
}

/** The options where their types are of no use any more. */
export type UntypedLoopbackOptions = LoopbackOptions<ContractSide, ContractSide>

const LOOPBACK_OPTIONS = {
  ...SERVER_CHANNEL_OPTIONS,
  onReject: 'functions',
  presence: 'elsewhere',
  origins: 'elsewhere',
  identify: 'function',
  identifyTimeoutMs: 'elsewhere',
} as const satisfies OptionKinds<UntypedLoopbackOptions>

/** What an endpoint has and a loopback has not, and what to do instead. */
const REMEDIES: Readonly<Record<string, string>> = {
  authenticate: 'write identify instead, which runs after the token has been checked',
  authenticateTimeoutMs: 'write identifyTimeoutMs instead',
  allowedOrigins: "write origins instead, a list of this app's own",
  allowedHosts: 'leave it out: a loopback goes by 127.0.0.1 and its port only',
  host: 'leave it out: a loopback listens on 127.0.0.1 only',
  port: 'leave it out: a loopback takes any free port, so that no other program can wait there',
  token: 'leave it out: a loopback makes a new one each time',
}

/**
 * @throws {RpcConfigError} naming the option that is wrong, and the remedy. What the endpoint takes
 *   as well is left to it.
 */
export function assertLoopbackOptions(options: UntypedLoopbackOptions): void {
  for (const [name, remedy] of Object.entries(REMEDIES)) {
    if (!(name in Object(options))) continue
    throw new RpcConfigError(`${name} is not an option of a loopback: ${remedy}`)
  }
  assertOptions('createLoopback', options, LOOPBACK_OPTIONS)
  assertOrigins(options.origins, {
    option: 'origins',
    otherwise: '[] for programs only',
    noFiles:
      'pages of file: send the origin null, as every sandboxed iframe does. Serve them from a scheme of the app, such as app://, and name that',
  })
  const { identifyTimeoutMs } = options
  if (identifyTimeoutMs !== undefined) assertMs('identifyTimeoutMs', identifyTimeoutMs)
}
