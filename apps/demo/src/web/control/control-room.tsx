import { useRpcStream } from '@flashrpc/react'
import { RpcDevtools } from '@flashrpc/react/devtools'
import { TopBar } from '../components/top-bar.js'
import { PresentPage } from './present-page.js'
import { ToastForm } from './toast-form.js'

/** The server's side of the demo: who is there, what each can be called for, and calls to them. */
export function ControlRoom() {
  const { latest: pages = [], status } = useRpcStream('presence', undefined, { keep: 0 })
  return (
    <>
      <TopBar tag="control" />
      <main className="page">
        <section className="intro" aria-labelledby="intro">
          <h1 id="intro">
            Who is there. <span>What can be called there.</span>
          </h1>
          <p>
            A page tells the server which methods its components have mounted: open and close its
            question desk, and look here.
          </p>
        </section>
        <ToastForm />
        <ul className="present" aria-label="Open pages" aria-busy={status !== 'streaming'}>
          {pages.map((page) => (
            <PresentPage key={page.page} present={page} />
          ))}
        </ul>
        {pages.length === 0 && status === 'streaming' && (
          <p className="nobody">
            No page is open: <a href="./">open one</a>.
          </p>
        )}
      </main>
      <RpcDevtools />
    </>
  )
}
