import { useState } from 'react'
import { useRpcMethod } from './hooks.ts'

interface Asked {
  text: string
  answer(value: 'yes' | 'no'): void
}

export function Question() {
  const [asked, ask] = useState<Asked>()
  useRpcMethod('confirm', ({ text }, { signal }) => {
    signal.addEventListener('abort', () => ask(undefined)) // the server does not wait any more
    return new Promise((resolve) => {
      ask({
        text,
        answer(value) {
          ask(undefined)
          resolve(value)
        },
      })
    })
  })
  if (!asked) return null
  return (
    <dialog open aria-label={asked.text}>
      <p>{asked.text}</p>
      <button type="button" onClick={() => asked.answer('yes')}>
        Yes
      </button>
      <button type="button" onClick={() => asked.answer('no')}>
        No
      </button>
    </dialog>
  )
}
