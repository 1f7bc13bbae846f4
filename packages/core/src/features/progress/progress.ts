import type { ChannelContext } from '../../calls/channel-context.js'
import { checkResult } from '../../calls/check-result.js'
import { addComputedExtra } from '../../calls/computed-extras.js'
import { readId } from '../../calls/control-message.js'
import type { CallRequest, Feature } from '../../calls/feature.js'
import type { PendingCall } from '../../calls/pending-call.js'
import { schemaOf } from '../../contract/definition.js'
import { RpcConfigError, RpcProtocolError } from '../../errors/errors.js'
import { kindOf } from '../../errors/options.js'
import { quoted } from '../../errors/quoted.js'
import { outgoingContext } from '../../logging/error-context.js'
import { PROGRESS, ProgressListening, ProgressReport } from './progress-values.js'

/** Progress: a handler tells its caller how far a call has come. */
export function progress(): Feature {
  return FEATURE
}

const FEATURE: Feature = {
  name: 'progress',
  callOptions: {
    onProgress: {
      check: assertListener,
      open: listen,
    },
  },
  showSigns(channel, call) {
    const { definition } = call
    if (listeningOf(call) || (definition && !schemaOf(definition, 'progress'))) return
    listen(channel, call, ignore)
  },
  extras: {
    progress: {
      whyWrong: (value, { id, method }) =>
        value === undefined || (value === true && id !== null)
          ? undefined
          : `rpc.progress of ${quoted(method)} must be true, with an id, or left out`,
      take(channel, context, value) {
        if (value !== true) return
        const report = new ProgressReport(context.id, context.method, channel)
        context.report = report
        context.add({ abort: () => report.stop(), end: () => report.end() })
      },
    },
  },
  controls: {
    [PROGRESS]: {
      isCounted: true,
      receive({ calls }, params) {
        const id = readId(params)?.id
        const call = calls.awaited(id)
        if (!call) return calls.stateOf(id) === 'over' ? undefined : `an ${PROGRESS} of no call`
        const listening = listeningOf(call)
        if (!listening) return `an ${PROGRESS} of a call that did not ask for it`
        call.timer?.touch()
        listening.heard((params as { value?: unknown }).value)
        return undefined
      },
      refused(channel, params, why) {
        const call = channel.calls.awaited(readId(params)?.id)
        if (!call) return true
        const { method } = call
        const what = `Progress of "${method}" was not taken: ${why}`
        channel.error(new RpcProtocolError(what, { method }), outgoingContext(call, 'progress'))
        return true
      },
    },
  },
}

function listen(
  channel: ChannelContext,
  call: PendingCall,
  listener: (value: never) => unknown,
): void {
  const { method, definition } = call
  const listening = new ProgressListening({
    check: (value) => checkResult(definition, method, 'progress', value, channel.kind),
    listener: listener as (value: unknown) => unknown,
    error: (error) => channel.error(error, outgoingContext(call, 'progress')),
  })
  addComputedExtra(call, 'progress', yes)
  call.add(listening)
}

function listeningOf({ parts }: PendingCall): ProgressListening | undefined {
  return parts?.find((part): part is ProgressListening => part instanceof ProgressListening)
}

function yes(): true {
  return true
}

/** @throws {RpcConfigError} if the method has no progress in the contract, or the listener is not a function. */
export function assertListener({ method, definition, value: listener }: CallRequest): void {
  if (listener === undefined) return
  const tellsNone = definition && !schemaOf(definition, 'progress')
  if (!tellsNone && typeof listener === 'function') return
  throw new RpcConfigError(
    tellsNone
      ? `"${method}" has no progress in the contract. Leave onProgress out, or add progress there`
      : `onProgress of "${method}" must be a function. It is ${kindOf(listener)}`,
    { method },
  )
}

function ignore(): void {}
