import { useState } from 'react'
import { useSurface } from '../surfaces/surface.js'
import { Card } from './card.js'
import { ConfirmDialog } from './confirm-dialog.js'

/** Takes questions while it is open: closed, the component that answers them is not mounted. */
export function QuestionDesk({ onAnswered }: { onAnswered: () => void }) {
  const { host, page } = useSurface()
  const [isOpen, setOpen] = useState(true)
  return (
    <Card title="Questions" icon="question" code="useRpcMethod('confirm', …)">
      <div className="desk">
        <label className="switch">
          <input
            type="checkbox"
            checked={isOpen}
            onChange={({ target }) => setOpen(target.checked)}
          />
          Take questions
        </label>
        <p>
          {isOpen
            ? `${host.begin} knows that this ${page} can be asked.`
            : `${host.begin} knows that this ${page} does not take questions, and refuses them at once.`}
        </p>
      </div>
      {isOpen && <ConfirmDialog onAnswered={onAnswered} />}
    </Card>
  )
}
