/**
 * Addresses of custom schemes, which stock Chromium can't have: `app://demo/x` is
 * `http://demo.app.localhost/x` there. That is a secure context, and needs no name server.
 */
export class SchemeUrls {
  readonly #schemes = new Set<string>()

  /** From now on addresses of this scheme are translated. */
  add(scheme: string): void {
    this.#schemes.add(scheme)
  }

  has(scheme: string): boolean {
    return this.#schemes.has(scheme)
  }

  /** The address by which Chromium knows it. */
  toChromium(url: string): string {
    const [, scheme, host, rest] = /^([a-z][a-z\d+.-]*):\/\/([^/?#]+)(.*)$/is.exec(url) ?? []
    if (scheme === undefined || !this.#schemes.has(scheme.toLowerCase())) return url
    const path = rest?.startsWith('/') ? rest : `/${rest}`
    return `http://${host?.toLowerCase()}.${scheme.toLowerCase()}.localhost${path}`
  }

  /** The address, or origin, by which the main process knows it. */
  toElectron(url: string): string {
    return url.replace(
      /^http:\/\/([^/?#:]+)\.([a-z\d+-]+)\.localhost(?=[/?#]|$)/i,
      (all, host, scheme) => (this.#schemes.has(scheme) ? `${scheme}://${host}` : all),
    )
  }

  /** The same in a Content-Security-Policy, whose sources may name a scheme or its hosts. */
  policyToChromium(policy: string): string {
    return policy.replace(
      /(?<=[\s;]|^)([a-z][a-z\d+-]*):(?:\/\/([^\s;/]+))?/gi,
      (all, scheme, host) =>
        this.#schemes.has(scheme.toLowerCase())
          ? `http://${host && host !== '*' ? host : '*'}.${scheme.toLowerCase()}.localhost`
          : all,
    )
  }
}
