import {
  RpcAbortedError,
  RpcConfigError,
  RpcDisconnectedError,
  RpcError,
  RpcTimeoutError,
  RpcValidationError,
} from '@flashrpc/core'
import { plain } from '@flashrpc/core/internal'
import { ExitCode } from './exit-code.js'
import { toJson } from './json.js'
import { Stopped } from './stopped.js'
import { UsageError } from './usage-error.js'

/** @returns the exit code for what ended a command. */
export function exitCodeOf(thrown: unknown): number {
  // If an item of the input is wrong, the call is aborted. The cause is the reason then.
  if (thrown instanceof RpcAbortedError && thrown.cause !== undefined) {
    return exitCodeOf(thrown.cause)
  }
  if (thrown instanceof Stopped) return thrown.exitCode
  if (thrown instanceof UsageError || thrown instanceof RpcConfigError) return ExitCode.usage
  if (thrown instanceof RpcValidationError && thrown.outcome === 'not-sent') return ExitCode.usage
  if (thrown instanceof RpcDisconnectedError) return ExitCode.disconnected
  if (thrown instanceof RpcTimeoutError) return ExitCode.timedOut
  return ExitCode.failed
}

/** @returns what ended a command, in a line of words. */
export function describeFailure(thrown: unknown): string {
  if (!(thrown instanceof RpcError)) return `flashrpc: ${messageOf(thrown)}`
  const { name, code, message, data } = thrown
  const outcome = outcomeOf(thrown)
  const facts = [name === 'RpcError' ? code : `${name}, ${code}`, ...(outcome ? [outcome] : [])]
  const detail = data === undefined || isInMessage(data) ? '' : `\n${toJson(data, 2)}`
  return `flashrpc: ${plain(message, 1_000)} (${facts.join(', ')})${detail}`
}

/** @returns the same for programs: `{ error: { name, code, message, data?, method?, outcome? } }`. */
export function failureAsJson(thrown: unknown): string {
  if (!(thrown instanceof RpcError)) {
    const name = thrown instanceof Error ? thrown.name : 'Error'
    return toJson({ error: { name, message: messageOf(thrown) } })
  }
  const { name, code, message, data, method } = thrown
  return toJson({ error: { name, code, message, data, method, outcome: outcomeOf(thrown) } })
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

function outcomeOf(error: RpcError): string | undefined {
  const { outcome } = error as { outcome?: unknown }
  return typeof outcome === 'string' ? outcome : undefined
}

/** Whether the message contains the data already: it lists the issues of a schema. */
function isInMessage(data: unknown): boolean {
  return typeof data === 'object' && data !== null && Object.keys(data).join() === 'issues'
}
