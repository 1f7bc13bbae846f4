import { type ClientState, ErrorCode, type HandlerContext, RpcError } from '@flashrpc/core'
import { plain, quoted } from '@flashrpc/core/internal'
import { Command } from 'commander'
import {
  addConnectionOptions,
  type ConnectionFlags,
  connect,
  dialectOption,
  wholeNumber,
} from '../connection.js'
import { toJson } from '../json.js'
import { isForPeople, type OutputFlags, printLine, say } from '../output.js'
import { parse } from '../params.js'
import { unlessStopped } from '../stopped.js'
import { UsageError } from '../usage-error.js'

interface ListenFlags extends ConnectionFlags {
  answer?: string
  count?: number
}

/** A call or a notification of the server, as it is printed. */
interface IncomingCall {
  kind: HandlerContext['kind']
  method: string
  params: unknown
  /** The answer, if it was answered. */
  answer?: unknown
}

/** `flashrpc listen`: prints what the server calls here, and answers it. */
export function createListenCommand(stop: AbortSignal): Command {
  const command = new Command('listen')
    .description('Print what the server calls here, a line of JSON each, until Ctrl-C.')
    .argument('<url>', 'of the server, such as ws://127.0.0.1:8000/ws')
    .option(
      '--answer <json>',
      `what methods answer, such as '{"confirm":"yes"}'; others are not here`,
    )
    .option('--count <n>', 'end after so many', wholeNumber)
    .addOption(dialectOption())
  return addConnectionOptions(command).action(async (url: string, flags: ListenFlags) => {
    const answers = readAnswers(flags.answer)
    let left = flags.count ?? Number.POSITIVE_INFINITY
    let onDone = () => {}
    const done = new Promise<void>((resolve) => {
      onDone = resolve
    })
    const fallback = (params: unknown, { method, kind }: HandlerContext): unknown => {
      if (left <= 0) throw notHere(method)
      const isAnswered = kind !== 'notification' && Object.hasOwn(answers, method)
      print({ kind, method, params, ...(isAnswered && { answer: answers[method] }) }, flags)
      if (--left === 0) setImmediate(onDone)
      if (isAnswered) return answers[method]
      throw notHere(method)
    }
    let onLost: (reason: unknown) => void = () => {}
    const lost = new Promise<never>((_, reject) => {
      onLost = reject
    })
    // If it never connects, `connect` reports that.
    lost.catch(() => {})
    const onState = sayChanges(url, onLost)
    await using _ = await connect(url, flags, stop, { fallback, onState })
    await unlessStopped(Promise.race([done, lost]), stop)
  })
}

function readAnswers(json: string | undefined): Readonly<Record<string, unknown>> {
  const answers = json === undefined ? {} : parse('--answer', json)
  if (typeof answers === 'object' && answers !== null && !Array.isArray(answers)) {
    return answers as Record<string, unknown>
  }
  throw new UsageError(
    `--answer must be an object of answers by method, such as '{"confirm":"yes"}'`,
  )
}

function notHere(method: string): RpcError {
  return new RpcError(ErrorCode.methodNotFound, `Method not found: ${quoted(method)}`)
}

function print(call: IncomingCall, flags: OutputFlags): void {
  if (!isForPeople(flags)) return printLine(toJson(call))
  const { kind, method, params, answer } = call
  const text = `${plain(method)}(${params === undefined ? '' : toJson(params)})`
  printLine(
    'answer' in call
      ? `${text} → ${toJson(answer)}`
      : `${text}${kind === 'notification' ? '  (notification)' : ''}`,
  )
}

/** @returns a listener that prints when a connection is made or lost. `onLost` is called when the client has stopped. */
function sayChanges(url: string, onLost: (reason: unknown) => void): (state: ClientState) => void {
  let said: string | undefined
  return ({ status, retryAt, lastError }) => {
    if (status === 'connected') {
      if (said !== status) say(`connected to ${url}`)
      said = status
    } else if (status === 'failed' || status === 'unauthorized') onLost(lastError)
    else if (said === 'connected' && retryAt !== null) {
      const seconds = Math.max(0, (retryAt - Date.now()) / 1000).toFixed(1)
      say(`${lastError?.message ?? 'the connection was lost'}; again in ${seconds} s`)
      said = status
    }
  }
}
