import { type KeyboardEvent, type ReactElement, useLayoutEffect, useRef, useState } from 'react'
import { useStore } from 'zustand'
import { Bolt } from '../bolt.js'
import type { DevtoolsPosition } from '../devtools-position.js'
import type { Recorder } from '../recorder.js'
import { NETWORKS } from '../simulated-network.js'
import { adoptSheet } from '../style-sheet.js'
import { ConnectionView } from './connection-view.js'
import { ResizeHandle } from './resize-handle.js'
import { RowsView } from './rows-view.js'
import { Select } from './select.js'
import { panelSheet } from './sheet.js'
import { Tabs } from './tabs.js'
import { TimelineView } from './timeline-view.js'
import { useRoom } from './use-room.js'

const POSITIONS = { bottom: 'Bottom', right: 'Right', floating: 'Floating' }
const VIEWS = { rows: 'Calls', timeline: 'Timeline', connection: 'Connection' }
const NETWORK_NAMES = {
  ...Object.fromEntries(NETWORKS.map(({ name }) => [name, name])),
  [NETWORKS[0].name]: 'Network as it is',
}

/** How large the panel is at first, in px; on a small screen it takes most of the height. */
function firstSizes(): Record<DevtoolsPosition, number> {
  const height = innerWidth < 720 ? Math.max(360, Math.round(innerHeight * 0.6)) : 360
  return { bottom: height, right: 480, floating: height }
}

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
  const [sizes, setSizes] = useState(firstSizes)
  const size = sizes[position]
  const panel = useRef<HTMLElement>(null)
  useLayoutEffect(() => {
    const element = panel.current
    adoptSheet(element, panelSheet)
    // The popover is in the top layer. A parent that is transformed or filtered would confine it otherwise.
    element?.showPopover?.()
    // If it was opened by keyboard, the user goes on in it by keyboard.
    element?.focus()
    return () => element?.hidePopover?.()
  }, [])
  useLayoutEffect(() => panel.current?.style.setProperty('--size', `${size}px`), [size])
  useRoom(position, size)
  const resize = (wanted: number) => setSizes((all) => ({ ...all, [position]: wanted }))
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') onClose()
  }
  return (
    <section
      ref={panel}
      className="panel"
      popover="manual"
      data-position={position}
      aria-label="flashrpc devtools"
      tabIndex={-1}
      onKeyDown={onKeyDown}
    >
      <ResizeHandle size={size} isVertical={position === 'right'} onResize={resize} />
      <div className="bar">
        <h2>
          <Bolt />
          <span>flashrpc</span>
        </h2>
        <Tabs label="Views" tabs={VIEWS} selected={view} controls="view" onSelect={setView} />
        <div className="tools">
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
        </div>
        <button type="button" className="close" onClick={onClose}>
          Close
        </button>
      </div>
      <div id="view" className="view" role="tabpanel" aria-label={VIEWS[view]}>
        {view === 'rows' && <RowsView recorder={recorder} />}
        {view === 'timeline' && <TimelineView recorder={recorder} />}
        {view === 'connection' && <ConnectionView recorder={recorder} />}
      </div>
    </section>
  )
}
