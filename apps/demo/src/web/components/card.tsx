import { type ReactNode, useId } from 'react'
import { Icon, type IconName } from './icon.js'

interface CardProps {
  title: string
  icon: IconName
  /** The line of code that feeds it. */
  code: string
  className?: string
  /** What stands at the right of the title. */
  aside?: ReactNode
  children: ReactNode
}

/** A part of the page with a title, and the hook that feeds it. */
export function Card({ title, icon, code, className = '', aside, children }: CardProps) {
  const id = useId()
  return (
    <section className={`card ${className}`} aria-labelledby={id}>
      <header className="card-head">
        <Icon name={icon} />
        <h2 id={id}>{title}</h2>
        {aside}
        <code className="card-code" title={code}>
          {code}
        </code>
      </header>
      {children}
    </section>
  )
}
