import type { CallContext } from '../../calls/call-context.js'
import type { ChannelContext } from '../../calls/channel-context.js'
import { addComputedExtra } from '../../calls/computed-extras.js'
import type { Feature } from '../../calls/feature.js'
import { RpcConfigError } from '../../errors/errors.js'
import { quoted } from '../../errors/quoted.js'
import { IncomingCall, runIncoming } from './incoming-call.js'
import { createMeta, whyNoMeta } from './meta.js'
import { OutgoingCall, runOutgoing } from './outgoing-call.js'
import { CHECK_PATH, type PathMiddleware, resolveMiddleware, setCall } from './run-middleware.js'
import { hearThrough, serveThrough } from './served-call.js'

/** Middleware: functions that surround calls in both directions, and metadata beside the params. */
export function middleware(): Feature {
  return FEATURE
}

const FEATURE: Feature = {
  name: 'middleware',
  resolve({ use }, _, contract) {
    const all = resolveMiddleware(use)
    if (contract) for (const one of all ?? []) (one as PathMiddleware)[CHECK_PATH]?.(contract)
    return { use: all }
  },
  around: {
    send(channel, { call, params, signal, isOpen, send, drop, fail }) {
      const ended = call.promise
      const outgoing = new OutgoingCall(channel, call, params, signal)
      return runOutgoing(channel.kind.settings.use ?? [], outgoing, ended, {
        send() {
          const { method, meta } = outgoing
          const why = isOpen() ? whyNoMeta(meta) : undefined
          if (why) fail(new RpcConfigError(`call.meta of "${method}" ${why}`, { method }))
          else if (Object.keys(meta).length > 0) {
            const sent = { ...meta }
            addComputedExtra(call, 'meta', () => sent)
          }
          return isOpen() ? send() : ended
        },
        drop,
      })
    },
    serve: (channel, context, params, request) =>
      serveThrough(request, context, (serve, told) =>
        runIncomingCall(channel, context, params, serve, told),
      ),
    runNotification: (channel, context, params, notification) =>
      hearThrough(notification, context, (serve, told) =>
        runIncomingCall(channel, context, params, serve, told),
      ),
  },
  extras: {
    meta: {
      isForNotifications: true,
      whyWrong(value, { method }) {
        const why = value === undefined ? undefined : whyNoMeta(value)
        return why && `rpc.meta of ${quoted(method)} ${why}`
      },
      take(_, context, value) {
        if (value) context.takeMeta(createMeta(value))
      },
    },
  },
}

/** Sends a call of the other side through the middleware of a channel. */
function runIncomingCall(
  channel: ChannelContext,
  context: CallContext,
  params: unknown,
  serve: () => Promise<unknown>,
  told: (thrown: unknown) => Error,
): Promise<unknown> {
  const id = context.kind === 'notification' ? undefined : context.id
  const call = new IncomingCall(context, id, params, channel.dialect)
  context.call = call
  context.whenSignal((signal) => setCall(signal, call))
  return runIncoming(channel.kind.settings.use ?? [], call, serve, told)
}
