import { Writable } from 'node:stream'
import { renderToPipeableStream } from 'react-dom/server'
import { Page } from '../../packages/react/test/support/page.js'

/** A page of hooks as React renders it in Node: its shell first, and then what the shell did not wait for. */
export function renderPage(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let html = ''
    const sink = new Writable({
      write(chunk: Buffer, _encoding, written) {
        html += chunk.toString()
        written()
      },
      final(ended) {
        ended()
        resolve(html)
      },
    })
    const { pipe } = renderToPipeableStream(<Page url={url} />, {
      onShellReady: () => pipe(sink),
      onError: reject,
    })
  })
}
