/**
 * The preload: forwards the port that a page hands over to main, and does nothing else. Nothing is
 * exposed to the page, neither a global nor an `ipcRenderer`.
 *
 * It is one plain CommonJS file without imports, as a sandboxed preload must be, and may also be
 * registered as it is: `session.registerPreloadScript({ type: 'frame', filePath })`. The shapes are
 * those of hand-over.ts.
 */
{
  const { ipcRenderer } = require('electron') as typeof import('electron')

  /** Refuses a hand-over that is wrong, and tells the page why. */
  function refuse(ports: readonly MessagePort[], reason: string): void {
    for (const port of ports) {
      port.postMessage({ flashrpc: 'refused', code: 4400, reason })
      port.close()
    }
  }

  window.addEventListener(
    'message',
    (event) => {
      const { data, source, ports } = event
      // A frame, an opener or a popup may post to this window too, and would get this page's identity.
      if (source !== window) return
      if (typeof data !== 'object' || data === null || data.flashrpc !== 'connect') return
      // Other scripts of the page have no use for the port.
      event.stopImmediatePropagation()
      const { v, name } = data as { v: unknown; name: unknown }
      const [port] = ports
      if (port === undefined || ports.length > 1) {
        return refuse(ports, `A hand-over has one port; this one has ${ports.length}`)
      }
      if (typeof v !== 'number' || typeof name !== 'string') {
        return refuse(ports, 'The hand-over is malformed: its version or its name is missing')
      }
      port.postMessage({ flashrpc: 'forwarded' })
      ipcRenderer.postMessage('flashrpc:connect', { flashrpc: 'connect', v, name }, [port])
    },
    true,
  )
}
