import { type KeyboardEvent, type ReactElement, useLayoutEffect, useRef, useState } from 'react'
import { useStore } from 'zustand'
import type { Recorder } from '../recorder.js'
import type { DevtoolsPosition } from '../rpc-devtools.js'
import { NETWORKS } from '../simulated-network.js'
import { ConnectionView } from './connection-view.js'
import { ResizeHandle } from './resize-handle.js'
import { RowsView } from './rows-view.js'
import { Select } from './select.js'
import { panelSheet } from './sheet.js'
import { Tabs } from './tabs.js'
import { TimelineView } from './timeline-view.js'

const POSITIONS = { bottom: 'At the bottom', right: 'At the right', floating: 'Floating' }
const VIEWS = { rows: 'Calls', timeline: 'Timeline', connection: 'Connection' }
const NETWORK_NAMES = Object.fromEntries(NETWORKS.map(({ name }) => [name, name]))

/** The panel of the devtools; it is loaded when it is opened. */
export function Panel({
  recorder,
  position: first,
  onClose,
}: {
  recorder: Recorder
  position: DevtoolsPosition
  onClose: () => void
}): ReactElement {
  const isPaused = useStore(recorder.store, (recording) => recording.isPaused)
  const network = useStore(recorder.store, (recording) => recording.network)
  const [position, setPosition] = useState(first)
  const [view, setView] = useState<keyof typeof VIEWS>('rows')
  const [size, setSize] = useState(360)
  const panel = useRef<HTMLElement>(null)
  useLayoutEffect(() => {
    const root = panel.current?.getRootNode()
    if (root instanceof ShadowRoot) root.adoptedStyleSheets = [panelSheet()]
    panel.current?.style.setProperty('--size', `${size}px`)
  }, [size])
  // Opened by keyboard, it goes on there.
  useLayoutEffect(() => panel.current?.focus(), [])
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') onClose()
  }
  return (
    <section
      ref={panel}
      className="panel"
      data-position={position}
      aria-label="flashrpc devtools"
      tabIndex={-1}
      onKeyDown={onKeyDown}
    >
      <ResizeHandle size={size} isVertical={position === 'right'} onResize={setSize} />
      <div className="bar">
        <h2>flashrpc</h2>
        <Tabs label="Views" tabs={VIEWS} selected={view} controls="view" onSelect={setView} />
        <div className="end">
          <Select
            label="Network"
            options={NETWORK_NAMES}
            value={network.name}
            onChange={(name) =>
              recorder.simulate(NETWORKS.find((one) => one.name === name) ?? NETWORKS[0])
            }
          />
          <button type="button" aria-pressed={isPaused} onClick={() => recorder.pause(!isPaused)}>
            Pause
          </button>
          <button type="button" onClick={() => recorder.clear()}>
            Clear
          </button>
          <Select label="Position" options={POSITIONS} value={position} onChange={setPosition} />
          <button type="button" onClick={onClose}>
            Close
          </button>
        </div>
      </div>
      <div id="view" className="view" role="tabpanel" aria-label={VIEWS[view]}>
        {view === 'rows' && <RowsView recorder={recorder} />}
        {view === 'timeline' && <TimelineView recorder={recorder} />}
        {view === 'connection' && <ConnectionView recorder={recorder} />}
      </div>
    </section>
  )
}
