'use client'

import { useRpcCall, useRpcMethod } from '@flashrpc/react'
import { useState } from 'react'

export function Deploy() {
  const { call, data } = useRpcCall('deploy')
  const [question, ask] = useState<{ text: string; answer: (answer: 'yes' | 'no') => void }>()
  useRpcMethod('confirm', ({ text }) => new Promise((answer) => ask({ text, answer })))
  const reply = (answer: 'yes' | 'no') => {
    question?.answer(answer)
    ask(undefined)
  }
  return (
    <section>
      <button type="button" onClick={() => call()}>
        Deploy
      </button>
      {question && (
        <dialog open aria-label={question.text}>
          <button type="button" onClick={() => reply('yes')}>
            Yes
          </button>
          <button type="button" onClick={() => reply('no')}>
            No
          </button>
        </dialog>
      )}
      <p role="log">{data}</p>
    </section>
  )
}
