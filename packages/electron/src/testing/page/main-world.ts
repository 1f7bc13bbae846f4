import type { PortTransfers } from './port-transfers.js'

/**
 * What the bench does in a page's own world before the page's first script: ports that the preload
 * passes on are known as ports to the main process.
 *
 * Self-contained on purpose: its source is what runs in the page.
 */
export function preparePage(transfers: PortTransfers): void {
  window.addEventListener('message', (event) => {
    if (event.source === window) event.ports.forEach(transfers.received)
  })
}
