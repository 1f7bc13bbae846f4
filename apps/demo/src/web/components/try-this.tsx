import { CopyButton } from './copy-button.js'
import { Icon, type IconName } from './icon.js'

/** What there is to try. */
export type Step = 'change' | 'ask' | 'hash' | 'restart'

const STEPS: readonly { step: Step; icon: IconName; title: string; text: string }[] = [
  { step: 'change', icon: 'bell', title: 'Save a file', text: 'The server notifies this page.' },
  { step: 'ask', icon: 'question', title: 'Let it ask you', text: 'From a terminal.' },
  { step: 'hash', icon: 'hash', title: 'Hash a file', text: 'This page calls the server.' },
  { step: 'restart', icon: 'plug', title: 'Kill the server', text: 'Ctrl+C, and start it again.' },
]

interface TryThisProps {
  done: ReadonlySet<Step>
  askCommand: string | undefined
}

/** Four things to try, each ticked off once it has happened. */
export function TryThis({ done, askCommand }: TryThisProps) {
  return (
    <ol className="steps" aria-label="Things to try">
      {STEPS.map(({ step, icon, title, text }) => (
        <li key={step} className="step" data-done={done.has(step)}>
          <span className="step-mark">
            <Icon name={done.has(step) ? 'check' : icon} />
          </span>
          <div className="step-text">
            <h3>
              {title}
              {done.has(step) && <span className="unseen"> (done)</span>}
            </h3>
            <p>{text}</p>
          </div>
          {step === 'ask' && askCommand && <CopyButton text={askCommand} what="the ask command" />}
        </li>
      ))}
    </ol>
  )
}
