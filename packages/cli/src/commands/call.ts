import { ErrorCode, RpcError, type SendOptions, type Timeout } from '@flashrpc/core'
import type { OpenRpcDocument } from '@flashrpc/core/discovery'
import { Command } from 'commander'
import {
  addConnectionOptions,
  type Connected,
  type ConnectionFlags,
  connect,
  dialectOption,
} from '../connection.js'
import { toJson } from '../json.js'
import { printItem, printValue, say } from '../output.js'
import { readLines, readParams } from '../params.js'
import { kindOf } from '../signature.js'
import { UsageError } from '../usage-error.js'

interface CallFlags extends ConnectionFlags {
  stdin?: true
  input?: true
  notify?: true
  stream?: true
  progress?: true
  key?: string
}

/** `flashrpc call`: calls a method once, and prints what it answers. */
export function createCallCommand(stop: AbortSignal): Command {
  const command = new Command('call')
    .description('Call a method, and print its result as JSON; of a stream, each item.')
    .argument('<url>', 'of the server, such as ws://127.0.0.1:8000/ws')
    .argument('<method>', 'its name')
    .argument('[params]', `its params as JSON, such as '{"a":5,"b":10}'`)
    .option('--stdin', 'read the params from standard input')
    .option('--input', 'stream the lines of standard input along, each of them JSON')
    .option('--stream', 'it is a stream: found out otherwise, where the server tells')
    .option('--notify', 'send it as a notification, which is not answered')
    .option('--progress', 'print how far it has come: each value as JSON, on standard error')
    .option('--key <key>', 'an idempotency key: called again with it, the server answers the same')
    .addOption(dialectOption())
  return addConnectionOptions(command).action(
    async (
      url: string,
      method: string,
      argument: string | undefined,
      flags: CallFlags,
      self: Command,
    ) => {
      assertAgree(flags)
      const params = await readParams(argument, flags, stop)
      await using client = await connect(url, flags, stop)
      // After the call has ended, standard input is not read any more. If it is still open, it would keep the program
      // running.
      using _ = { [Symbol.dispose]: () => void (flags.input && process.stdin.destroy()) }
      if (flags.notify) return await client.notify(method, params)
      const options: SendOptions = {
        signal: stop,
        ...(flags.key !== undefined && { idempotencyKey: flags.key }),
        ...(flags.progress && { onProgress: (value: unknown) => say(toJson(value)) }),
        ...(flags.input && { input: readLines(process.stdin) }),
      }
      // A stream may be silent for any time, unless the command line gives a timeout.
      const isBounded = self.getOptionValueSource('timeout') === 'cli'
      const timeout: Timeout = isBounded ? { idle: flags.timeout } : Number.POSITIVE_INFINITY
      const print = () => printItems(client, method, params, { ...options, timeout })
      // Standard input can be read only once, so it must be known before the call whether the method is a stream.
      if (flags.stream || (flags.input && (await isKnownAsStream(client, method, stop)))) {
        return await print()
      }
      try {
        printValue(await client.call(method, params, options), flags)
      } catch (error) {
        if (!isOtherKind(error)) throw error
        if (flags.input || !(await isKnownAsStream(client, method, stop))) throw withHint(error)
        await print()
      }
    },
  )
}

function assertAgree({ notify, key, input, stdin, stream, progress }: CallFlags): void {
  if (stdin && input) throw new UsageError('Standard input is either --stdin or --input')
  if (!notify) return
  const answered = Object.entries({ key, input, stream, progress }).find(
    ([, value]) => value !== undefined,
  )
  if (answered) throw new UsageError(`--${answered[0]} does not go with --notify`)
}

async function printItems(
  client: Connected,
  method: string,
  params: object | undefined,
  options: SendOptions,
): Promise<void> {
  for await (const item of client.stream(method, params, options)) {
    await printItem(item)
  }
}

/**
 * Whether the server refused the call because the method is a stream. It has not run then: docs/protocol.md,
 * "Streams".
 */
function isOtherKind(error: unknown): error is RpcError {
  return error instanceof RpcError && error.code === ErrorCode.invalidRequest
}

/** @returns the error. If it was thrown because the method is a stream, the message names the option to use. */
function withHint({ code, message, data, method }: RpcError): RpcError {
  return new RpcError(code, `${message} (--stream calls it as a stream)`, data, { method })
}

async function isKnownAsStream(
  client: Connected,
  method: string,
  stop: AbortSignal,
): Promise<boolean> {
  try {
    const document = await client.call('rpc.discover', undefined, { signal: stop })
    return (document as OpenRpcDocument).methods.some(
      (one) => one.name === method && kindOf(one) === 'stream',
    )
  } catch {
    // The server does not answer `rpc.discover`: the method counts as no stream.
    return false
  }
}
