import { ErrorCode, RpcError } from '@flashrpc/core'
import type { OpenRpcDocument } from '@flashrpc/core/discovery'
import { Command } from 'commander'
import { addConnectionOptions, type ConnectionFlags, connect } from '../connection.js'
import { toJson } from '../json.js'
import { isForPeople, printLine, printValue } from '../output.js'
import { signatureOf, summaryOf } from '../signature.js'

interface DiscoverFlags extends ConnectionFlags {
  methods?: true
}

/** `flashrpc discover`: prints which methods a server says it has. */
export function createDiscoverCommand(stop: AbortSignal): Command {
  const command = new Command('discover')
    .description('Print the methods that the server has: an OpenRPC document (rpc.discover).')
    .argument('<url>', 'of the server, such as ws://127.0.0.1:8000/ws')
    .option('--methods', 'only its methods, a line each')
  return addConnectionOptions(command).action(async (url: string, flags: DiscoverFlags) => {
    await using client = await connect(url, flags, stop)
    const document = await client.call('rpc.discover', undefined, { signal: stop }).catch(explain)
    if (!flags.methods) return printValue(document, flags)
    for (const method of (document as OpenRpcDocument).methods) {
      printLine(isForPeople(flags) ? signatureOf(method) : toJson(summaryOf(method)))
    }
  })
}

/** @throws the given error. If the server does not offer discovery, it is an error that says how to turn it on. */
function explain(thrown: unknown): never {
  if (!(thrown instanceof RpcError) || thrown.code !== ErrorCode.methodNotFound) throw thrown
  const { code, data, method } = thrown
  throw new RpcError(
    code,
    'The server does not tell which methods it has. A flashrpc server tells if it is made with createEndpoint(contract, { …, discover: true })',
    data,
    { method, cause: thrown },
  )
}
