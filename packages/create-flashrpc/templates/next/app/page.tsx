import { Desk } from './desk.tsx'

/** A server component. The parts that call and are called are client components. */
export default function Page() {
  return (
    <main>
      <h1>My app</h1>
      <Desk />
    </main>
  )
}
