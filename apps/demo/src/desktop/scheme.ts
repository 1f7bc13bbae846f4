import { protocol } from 'electron'
import { SCHEME } from './address.js'
import { createPageFiles } from './page-files.js'

/**
 * Makes the scheme one like https: with origins, and trusted. To be called before the app is ready,
 * once. Nothing more is granted: no way around the policy of the page, no service workers.
 */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ])
}

/** Serves the built page's files under the scheme, and nothing else. To be called once it is ready. */
export async function serveScheme(folder: string): Promise<void> {
  protocol.handle(SCHEME, await createPageFiles(folder))
}
