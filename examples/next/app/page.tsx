import { Suspense } from 'react'
import { Deploy } from './deploy'
import { Greeting } from './greeting'
import { Status } from './status'

/** A server component. The greeting is fetched by the page: the server renders the fallback in its place, at once. */
export default function Page() {
  return (
    <main>
      <Status />
      <Suspense fallback={<p>asking…</p>}>
        <Greeting name="Ada" />
      </Suspense>
      <Deploy />
    </main>
  )
}
