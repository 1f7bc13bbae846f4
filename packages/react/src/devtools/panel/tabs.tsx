import type { KeyboardEvent, ReactElement } from 'react'

/** Tabs (ARIA Authoring Practices, "Tabs"): one of them is in the tab order, arrows select the next. */
export function Tabs<Name extends string>({
  label,
  tabs,
  selected,
  controls,
  onSelect,
}: {
  label: string
  tabs: Readonly<Record<Name, string>>
  selected: Name
  /** The id of the element that shows what is selected. */
  controls: string
  onSelect: (name: Name) => void
}): ReactElement {
  const names = Object.keys(tabs) as Name[]
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (step === undefined) return
    event.preventDefault()
    const next = names[(names.indexOf(selected) + step + names.length) % names.length] as Name
    onSelect(next)
    event.currentTarget.querySelectorAll('button')[names.indexOf(next)]?.focus()
  }
  return (
    <div role="tablist" aria-label={label} onKeyDown={onKeyDown}>
      {names.map((name) => (
        <button
          key={name}
          type="button"
          role="tab"
          aria-selected={name === selected}
          aria-controls={controls}
          tabIndex={name === selected ? 0 : -1}
          onClick={() => onSelect(name)}
        >
          {tabs[name]}
        </button>
      ))}
    </div>
  )
}
