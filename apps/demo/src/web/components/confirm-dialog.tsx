import { useEffect, useId, useLayoutEffect, useRef, useState } from 'react'
import { createPortal } from 'react-dom'
import type { Reply } from '../../contract.js'
import { useNow } from '../hooks/use-now.js'
import { type Question, useQuestions } from '../hooks/use-questions.js'
import { formatAgo } from '../lib/format.js'
import { useSurface } from '../surfaces/surface.js'
import { Icon } from './icon.js'
import { noticePlace } from './top-bar.js'

/**
 * Shows the host's questions, one at a time. Escape, or “Later”, puts them aside: they can still
 * be answered, until whoever asked takes them back.
 */
export function ConfirmDialog({ onAnswered }: { onAnswered: () => void }) {
  const { questions, answer } = useQuestions()
  const [aside, setAside] = useState(false)
  const [question] = questions
  useTitle(question)

  // A question put aside stays aside; the next one after an empty queue is shown.
  if (!question) {
    if (aside) setAside(false)
    return null
  }
  if (aside) {
    const count = questions.length === 1 ? 'A question waits' : `${questions.length} questions wait`
    return createPortal(
      <button type="button" className="asked-aside" onClick={() => setAside(false)}>
        <Icon name="question" />
        {count} for your answer
      </button>,
      noticePlace(),
    )
  }
  return (
    <QuestionDialog
      question={question}
      waiting={questions.length - 1}
      onLater={() => setAside(true)}
      onReply={(reply) => {
        answer(question, reply)
        onAnswered()
      }}
    />
  )
}

interface QuestionDialogProps {
  question: Question
  /** How many more wait behind it. */
  waiting: number
  onReply: (reply: Reply) => void
  onLater: () => void
}

function QuestionDialog({ question, waiting, onReply, onLater }: QuestionDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const heading = useRef<HTMLHeadingElement>(null)
  const id = useId()
  const now = useNow(1_000)
  const { host } = useSurface()

  // Before it is taken out of the page: the browser keeps the focus inside, and gives it back where it was.
  useLayoutEffect(() => {
    const element = dialog.current
    element?.showModal()
    return () => element?.close()
  }, [])
  // Not on a button: whoever is typing when a question comes would answer it unread.
  // biome-ignore lint/correctness/useExhaustiveDependencies: for each question anew
  useEffect(() => heading.current?.focus(), [question.id])

  return (
    <dialog
      ref={dialog}
      className="asked"
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault()
        onLater()
      }}
    >
      <div className="asked-body" key={question.id}>
        <p className="asked-from">
          <span className="asked-mark">
            <Icon name="question" />
          </span>
          {host.begin} asks
          <time>{formatAgo(now - question.askedAt)}</time>
        </p>
        <h2 id={id} ref={heading} tabIndex={-1}>
          {question.text}
        </h2>
        <div className="asked-buttons">
          <button type="button" className="button is-primary" onClick={() => onReply('yes')}>
            Yes
          </button>
          <button type="button" className="button" onClick={() => onReply('no')}>
            No
          </button>
          <button type="button" className="quiet" onClick={onLater}>
            Later <kbd>Esc</kbd>
          </button>
        </div>
      </div>
      <footer className="asked-foot">
        <code>useRpcMethod('confirm', …)</code>
        {waiting > 0 && (
          <span>
            {waiting} more {waiting === 1 ? 'waits' : 'wait'}
          </span>
        )}
      </footer>
    </dialog>
  )
}

/** The tab says that it is asked: the person may look at another one. */
function useTitle(question: Question | undefined): void {
  const text = question?.text
  useEffect(() => {
    if (text === undefined) return
    const before = document.title
    document.title = `● ${text}`
    return () => {
      document.title = before
    }
  }, [text])
}
