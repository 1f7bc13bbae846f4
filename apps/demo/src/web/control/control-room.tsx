import { useRpcState, useRpcStream } from '@flashrpc/react'
import { TopBar } from '../components/top-bar.js'
import { PresentPage } from './present-page.js'
import { ToastForm } from './toast-form.js'

/** The control page: the open pages, the methods that can be called on each, and calls to them. */
export function ControlRoom() {
  const { latest: pages = [], status } = useRpcStream('presence', undefined, { keep: 0 })
  const isConnected = useRpcState((state) => state.status === 'connected')
  const isTold = isConnected && status === 'streaming'
  return (
    <>
      <TopBar tag="control" />
      <main className="page">
        <section className="intro" aria-labelledby="intro">
          <h1 id="intro">
            Open pages. <span>Call their methods here.</span>
          </h1>
          <p>
            A page tells the server which methods its components have mounted. Switch “Take
            questions” off on a page, and its <code>confirm</code> is gone here.
          </p>
        </section>
        <ToastForm />
        <div className="present-head">
          <h2>Now open</h2>
          <p role="status">{isConnected ? pages.length : 'not connected: the last known ones'}</p>
          <a href="./" target="_blank" rel="noreferrer">
            Open another page
          </a>
        </div>
        <ul className="present" aria-label="Open pages" aria-busy={!isTold}>
          {pages.map((page) => (
            <PresentPage key={page.page} present={page} />
          ))}
        </ul>
        {pages.length === 0 && isTold && <p className="nobody">No page is open.</p>}
      </main>
    </>
  )
}
