import { type ReactElement, useState } from 'react'
import { useRpcMethod } from './hooks.js'

interface Asked {
  text: string
  answer(value: 'yes' | 'no'): void
}

/** Shows what the server asks, in the tab that the user looks at; the answer to its call is the button that is pressed. */
export function Question(): ReactElement | null {
  const [asked, setAsked] = useState<Asked[]>([])
  useRpcMethod('confirm', ({ text }, { signal }) => {
    return new Promise<'yes' | 'no'>((resolve) => {
      const question: Asked = {
        text,
        answer(value) {
          setAsked((others) => others.filter((other) => other !== question))
          resolve(value)
        },
      }
      // The connection was lost: nobody waits for the answer any more.
      signal.addEventListener('abort', () => question.answer('no'))
      setAsked((others) => [...others, question])
    })
  })
  const [first] = asked
  if (!first) return null
  return (
    <section role="alertdialog" aria-label={first.text}>
      <p>{first.text}</p>
      <button type="button" onClick={() => first.answer('yes')}>
        Yes
      </button>{' '}
      <button type="button" onClick={() => first.answer('no')}>
        No
      </button>
    </section>
  )
}
