import type { Step } from '../surfaces/step.js'
import { useSurface } from '../surfaces/surface.js'
import { CopyButton } from './copy-button.js'
import { Icon, type IconName } from './icon.js'

const STEPS: readonly { step: Step; icon: IconName }[] = [
  { step: 'change', icon: 'bell' },
  { step: 'ask', icon: 'question' },
  { step: 'hash', icon: 'hash' },
  { step: 'restart', icon: 'plug' },
]

interface TryThisProps {
  done: ReadonlySet<Step>
  askCommand: string | undefined
}

/** Four things to try, each ticked off once it has happened. */
export function TryThis({ done, askCommand }: TryThisProps) {
  const { steps } = useSurface()
  return (
    <div className="steps-place">
      <ol className="steps" aria-label="Things to try">
        {STEPS.map(({ step, icon }) => (
          <li key={step} className="step" data-step={step} data-done={done.has(step)}>
            <span className="step-mark">
              <Icon name={done.has(step) ? 'check' : icon} />
            </span>
            <div className="step-text">
              <h2>
                {steps[step].title}
                {done.has(step) && <span className="unseen"> (done)</span>}
              </h2>
              <p>{steps[step].text}</p>
            </div>
            {step === 'ask' && askCommand && (
              <CopyButton text={askCommand} what="the ask command" />
            )}
          </li>
        ))}
      </ol>
    </div>
  )
}
