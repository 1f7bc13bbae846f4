import type { CustomScheme } from 'electron'
import type { SchemeUrls } from '../browser/scheme-urls.js'
import { throwOnUnplayed } from './unplayed.js'

/** A handler of `protocol.handle`. */
export type SchemeHandler = (request: Request) => Response | Promise<Response>

/** Without these privileges a scheme's pages have an opaque origin, `null`. */
const OPAQUE =
  'sandbox allow-scripts allow-forms allow-modals allow-popups allow-pointer-lock allow-downloads'

/** Electron's `protocol`: pages of custom schemes, served by the app. */
export class PlayedProtocol {
  readonly #urls: SchemeUrls
  readonly #isReady: () => boolean
  readonly #handlers = new Map<string, SchemeHandler>()
  readonly #standard = new Set<string>()

  constructor(urls: SchemeUrls, isReady: () => boolean) {
    this.#urls = urls
    this.#isReady = isReady
  }

  /** For the bench: the answer of an app's handler. `undefined` if the address has no handler. */
  static serve(protocol: PlayedProtocol, request: Request): Promise<Response> | undefined {
    const scheme = request.url.slice(0, request.url.indexOf(':'))
    const handler = protocol.#handlers.get(scheme)
    if (!handler) return undefined
    return Promise.resolve(handler(request)).then((response) => {
      if (protocol.#standard.has(scheme) || response.type === 'error') return response
      const headers = new Headers(response.headers)
      headers.append('content-security-policy', OPAQUE)
      const { status, statusText } = response
      return new Response(response.body, { status, statusText, headers })
    })
  }

  /** For the bench: schemes that are privileged from the start. */
  static grant(protocol: PlayedProtocol, schemes: readonly CustomScheme[]): void {
    for (const { scheme, privileges = {} } of schemes) {
      if (privileges.standard) protocol.#standard.add(scheme)
    }
  }

  registerSchemesAsPrivileged(schemes: CustomScheme[]): void {
    if (this.#isReady()) {
      throw new Error('protocol.registerSchemesAsPrivileged should be called before app is ready')
    }
    PlayedProtocol.grant(this, schemes)
  }

  handle(scheme: string, handler: SchemeHandler): void {
    if (this.#handlers.has(scheme)) {
      throw new Error(`Failed to register protocol: ${scheme}`)
    }
    this.#handlers.set(scheme, handler)
    this.#urls.add(scheme)
  }

  unhandle(scheme: string): void {
    if (!this.#handlers.delete(scheme)) throw new Error(`Failed to unhandle protocol: ${scheme}`)
  }

  isProtocolHandled(scheme: string): boolean {
    const builtIn = ['http', 'https', 'file', 'data', 'blob', 'about']
    return this.#handlers.has(scheme) || builtIn.includes(scheme)
  }
}

throwOnUnplayed(PlayedProtocol, 'protocol')
