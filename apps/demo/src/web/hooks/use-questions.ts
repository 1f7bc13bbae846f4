import { useRpcMethod } from '@flashrpc/react'
import { useEffect, useRef, useState } from 'react'
import type { Reply } from '../../contract.js'

/** A question of the server that waits for the person. */
export interface Question {
  readonly id: number
  readonly text: string
  readonly askedAt: number
}

interface Waiting extends Question {
  settle(reply: Reply): void
}

/** The questions that wait, the oldest first. Each waits until it is answered or taken back. */
export function useQuestions(): {
  questions: readonly Question[]
  answer: (question: Question, reply: Reply) => void
} {
  const [questions, setQuestions] = useState<readonly Waiting[]>([])
  const nextId = useRef(1)
  const unmounted = useRef(new AbortController())
  useEffect(() => {
    const controller = new AbortController()
    unmounted.current = controller
    return () => controller.abort(new Error('The dialog was closed'))
  }, [])

  useRpcMethod('confirm', ({ text }, { signal }) => {
    // Whoever asked must not wait for a component that is gone.
    const over = AbortSignal.any([signal, unmounted.current.signal])
    return new Promise<Reply>((resolve, reject) => {
      const id = nextId.current++
      const remove = (): void => setQuestions((all) => all.filter((one) => one.id !== id))
      const takenBack = (): void => {
        remove()
        reject(over.reason)
      }
      over.addEventListener('abort', takenBack, { once: true })
      const settle = (reply: Reply): void => {
        over.removeEventListener('abort', takenBack)
        remove()
        resolve(reply)
      }
      setQuestions((all) => [...all, { id, text, askedAt: Date.now(), settle }])
    })
  })

  return {
    questions,
    answer: ({ id }, reply) => questions.find((one) => one.id === id)?.settle(reply),
  }
}
