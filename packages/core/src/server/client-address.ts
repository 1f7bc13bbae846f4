import type { IncomingMessage } from 'node:http'
import { isIP, isIPv6 } from 'node:net'
import proxyAddr from 'proxy-addr'
import { RpcConfigError } from '../errors/errors.js'

/**
 * The proxies that are trusted to name their client in `X-Forwarded-For`, in the form of Express's setting
 * `trust proxy`:
 *
 * - `false`: none; the address is that of the socket.
 * - `true`: all. The address is the leftmost one of the header, which a client can forge unless the outermost proxy
 *   replaces the header.
 * - a number: this number of hops, counted from the server.
 * - addresses and subnets, as a list or separated by commas, such as `'10.0.0.0/8, 127.0.0.1'`; `loopback`, `linklocal`
 *   and `uniquelocal` stand for the ranges of that name.
 * - a function of an address and its number of hops.
 */
export type TrustProxy =
  | boolean
  | number
  | string
  | readonly string[]
  | ((address: string, hops: number) => boolean)

/** Finds the address of the client that has sent a request. */
export class ClientAddresses {
  readonly #trust: ((address: string, hops: number) => boolean) | undefined

  /** @throws {RpcConfigError} if the option has none of its forms. */
  constructor(trustProxy: TrustProxy = false) {
    this.#trust = compile(trustProxy)
  }

  /** Whether some proxies are trusted. Then a loopback address that is not a trusted proxy's is a client's. */
  get areForwarded(): boolean {
    return this.#trust !== undefined
  }

  /** @returns an IP address, without a port; `undefined` if the socket has none. */
  of(request: IncomingMessage): string | undefined {
    if (!this.#trust) return request.socket.remoteAddress
    // From the socket on to the client. A proxy may write anything, such as "unknown" (RFC 7239, section 6).
    const addresses = proxyAddr.all(request, this.#trust).map(withoutPort)
    return addresses.reverse().find((address) => isIP(address) !== 0)
  }
}

function compile(trustProxy: TrustProxy): ((address: string, hops: number) => boolean) | undefined {
  if (trustProxy === false) return undefined
  if (trustProxy === true) return () => true
  if (typeof trustProxy === 'function') return trustProxy
  if (Number.isInteger(trustProxy) && (trustProxy as number) >= 0) {
    return (_, hops) => hops < (trustProxy as number)
  }
  try {
    const names = typeof trustProxy === 'string' ? trustProxy.split(',') : trustProxy
    return proxyAddr.compile((names as string[]).map((name) => name.trim()))
  } catch (cause) {
    throw new RpcConfigError(
      'trustProxy must be true, false, a number of hops, addresses or subnets such as "loopback, 10.0.0.0/8", or a function of an address and its hops',
      { cause },
    )
  }
}

/** Some proxies add the port: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function withoutPort(address = ''): string {
  const [, inBrackets, plain] = /^(?:\[([^\]]*)\](?::\d+)?|([^:]*):\d+)$/.exec(address) ?? []
  return inBrackets ?? plain ?? address
}

/**
 * The part of an address that all addresses of one client share: the whole of an IPv4 address, and the /64 of an IPv6
 * address, which one network has at least (RFC 6177, section 2).
 */
export function networkOf(address: string): string {
  const [bare = ''] = address.split('%')
  const v4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1]
  if (v4 !== undefined) return v4
  if (!isIPv6(bare)) return address
  // In the form of a URL: without leading zeros, in small letters, the longest run of zeros left out.
  const [head = '', tail] = new URL(`http://[${bare}]`).hostname.slice(1, -1).split('::')
  const groups = head.split(':').filter(Boolean)
  const after = tail?.split(':').filter(Boolean) ?? []
  const zeros = tail === undefined ? 0 : 8 - groups.length - after.length
  const all = [...groups, ...Array.from({ length: zeros }, () => '0'), ...after]
  return `${all.slice(0, 4).join(':')}::/64`
}
