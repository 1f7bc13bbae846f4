import type { PortTransfers } from './port-transfers.js'

/**
 * Prepares a page's own world before the page's first script, so that a port that the preload passes on is known as a
 * port to the main process.
 *
 * It uses nothing outside of itself, because its source is what runs in the page.
 */
export function preparePage(transfers: PortTransfers): void {
  window.addEventListener('message', (event) => {
    if (event.source === window) event.ports.forEach(transfers.received)
  })
}
