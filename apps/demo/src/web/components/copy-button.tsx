import { useEffect, useState } from 'react'
import { Icon } from './icon.js'

/** Copies a text, and says so for a moment. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const [copied, setCopied] = useState<'yes' | 'failed' | null>(null)
  useEffect(() => {
    if (copied === null) return
    const timer = setTimeout(() => setCopied(null), 2_000)
    return () => clearTimeout(timer)
  }, [copied])
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setCopied('yes'),
      () => setCopied('failed'),
    )
  }
  const said = copied === 'yes' ? 'Copied' : copied === 'failed' ? 'Not allowed' : 'Copy'
  return (
    <button type="button" className="copy" onClick={copy} aria-label={`Copy ${what}`}>
      <Icon name={copied === 'yes' ? 'check' : 'copy'} />
      <span aria-live="polite">{said}</span>
    </button>
  )
}
