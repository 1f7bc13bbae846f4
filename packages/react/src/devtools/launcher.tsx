import { type ReactElement, type Ref, useLayoutEffect, useRef } from 'react'
import { Bolt } from './bolt.js'
import { adoptSheet, styleSheet, UNSEEN } from './style-sheet.js'

/** The place of the button that opens the panel. */
export type DevtoolsButton = 'floating' | 'inline'

const launcherSheet = styleSheet(`
:host { color-scheme: light dark; }
:host([data-theme='light']) { color-scheme: light; }
:host([data-theme='dark']) { color-scheme: dark; }
.launcher {
  display: inline-flex; gap: 0.4375rem; align-items: center; justify-content: center;
  min-block-size: 2.375rem; min-inline-size: 2.375rem; padding: 0 0.875rem;
  border: 1px solid; border-radius: 2rem; font: 600 0.8125rem ui-sans-serif, system-ui, sans-serif; white-space: nowrap; cursor: pointer;
}
.launcher svg { flex: none; inline-size: 1rem; block-size: 1rem; fill: #ffb81f; }
.launcher:focus-visible { outline: 2px solid; outline-offset: 2px; }
.launcher[data-button='floating'] {
  position: fixed; z-index: 99998; inset-block-end: 0.75rem; inset-inline-end: 0.75rem;
  border-color: #6e7781; background: #24292f; color: #ffffff; box-shadow: 0 0.25rem 1rem rgb(0 0 0 / 25%);
}
.launcher[data-button='floating']:hover { background: #32383f; }
.launcher[data-button='inline'] { border-color: color-mix(in srgb, currentcolor 28%, transparent); background: none; color: inherit; }
.launcher[data-button='inline']:hover, .launcher[aria-expanded='true'] { background: color-mix(in srgb, currentcolor 8%, transparent); }
.unseen { ${UNSEEN} }
@media (width < 35rem) {
  .launcher { padding: 0; }
  .launcher span { ${UNSEEN} }
}
`)

/** The button that opens the panel, and, in the page, closes it. */
export function Launcher({
  button,
  isOpen,
  focusable,
  onClick,
}: {
  button: DevtoolsButton
  isOpen: boolean
  focusable: Ref<HTMLButtonElement>
  onClick: () => void
}): ReactElement {
  const here = useRef<HTMLSpanElement>(null)
  useLayoutEffect(() => adoptSheet(here.current, launcherSheet), [])
  return (
    <button
      ref={focusable}
      type="button"
      className="launcher"
      data-button={button}
      aria-expanded={isOpen}
      onClick={onClick}
    >
      <Bolt />
      <span ref={here}>
        <span className="unseen">flashrpc </span>devtools
      </span>
    </button>
  )
}
