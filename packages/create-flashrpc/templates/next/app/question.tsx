'use client'

import { useState } from 'react'
import { useRpcMethod } from './rpc.ts'

interface Asked {
  readonly text: string
  answer(value: 'yes' | 'no'): void
}

/** Shows a question of the server. Its result is the button that is pressed. */
export function Question() {
  const [asked, setAsked] = useState<Asked>()
  useRpcMethod('confirm', ({ text }, { signal }) => {
    return new Promise<'yes' | 'no'>((resolve) => {
      const answer = (value: 'yes' | 'no') => {
        setAsked(undefined)
        resolve(value)
      }
      // The server has stopped waiting.
      signal.addEventListener('abort', () => answer('no'))
      setAsked({ text, answer })
    })
  })
  if (!asked) return null
  return (
    <div role="alertdialog" aria-label={asked.text}>
      <p>{asked.text}</p>
      <button type="button" onClick={() => asked.answer('yes')}>
        Yes
      </button>{' '}
      <button type="button" onClick={() => asked.answer('no')}>
        No
      </button>
    </div>
  )
}
