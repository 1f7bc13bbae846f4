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
  giveUp(reason: unknown): void
}

/** The questions that wait, the oldest first. Each waits until it is answered or taken back. */
export function useQuestions(): {
  questions: readonly Question[]
  answer: (question: Question, reply: Reply) => void
} {
  const [questions, setQuestions] = useState<readonly Waiting[]>([])
  const nextId = useRef(1)
  const newest = useRef(questions)
  newest.current = questions

  useRpcMethod(
    'confirm',
    ({ text }, { signal }) =>
      new Promise<Reply>((resolve, reject) => {
        const id = nextId.current++
        const remove = (): void => setQuestions((all) => all.filter((one) => one.id !== id))
        const takenBack = (): void => {
          remove()
          reject(signal.reason)
        }
        signal.addEventListener('abort', takenBack, { once: true })
        const settle = (reply: Reply): void => {
          signal.removeEventListener('abort', takenBack)
          remove()
          resolve(reply)
        }
        setQuestions((all) => [...all, { id, text, askedAt: Date.now(), settle, giveUp: reject }])
      }),
  )

  // Whoever asked must not wait for a component that is gone.
  useEffect(
    () => () => {
      for (const { giveUp } of newest.current) giveUp(new Error('The dialog was closed'))
    },
    [],
  )

  return {
    questions,
    answer: ({ id }, reply) => questions.find((one) => one.id === id)?.settle(reply),
  }
}
