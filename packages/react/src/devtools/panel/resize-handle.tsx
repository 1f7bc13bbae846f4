import type { KeyboardEvent, PointerEvent, ReactElement } from 'react'

/** How far an arrow moves it, in px. */
const STEP = 32
const LEAST = 160

/** The edge by which the panel is made larger or smaller, by pointer or by arrows. */
export function ResizeHandle({
  size,
  isVertical,
  onResize,
}: {
  /** In px. */
  size: number
  /** Whether the edge stands upright, at the left of the panel. */
  isVertical: boolean
  onResize: (size: number) => void
}): ReactElement {
  const most = () => (isVertical ? innerWidth : innerHeight)
  const resize = (wanted: number) => onResize(Math.min(most(), Math.max(LEAST, wanted)))
  const onKeyDown = (event: KeyboardEvent) => {
    const larger = isVertical ? 'ArrowLeft' : 'ArrowUp'
    const smaller = isVertical ? 'ArrowRight' : 'ArrowDown'
    if (event.key !== larger && event.key !== smaller) return
    event.preventDefault()
    resize(size + (event.key === larger ? STEP : -STEP))
  }
  const onPointerMove = (event: PointerEvent) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return
    resize(most() - (isVertical ? event.clientX : event.clientY))
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a separator that is moved is no <hr>
    <div
      className="handle"
      role="separator"
      aria-label="Size of the panel"
      aria-orientation={isVertical ? 'vertical' : 'horizontal'}
      aria-valuenow={Math.round(size)}
      aria-valuemin={LEAST}
      aria-valuemax={Math.max(LEAST, Math.round(most()))}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={onPointerMove}
    />
  )
}
