import { useRpcMethod, useRpcState } from '@flashrpc/react'
import { useEffect, useId, useRef, useState } from 'react'
import type { Load } from '../../contract.js'
import { formatBytes, formatShare } from '../lib/format.js'
import {
  CHART,
  drawHistory,
  lastShift,
  type Sample,
  SPAN_S,
  withLoad,
} from '../lib/load-history.js'
import { useSurface } from '../surfaces/surface.js'
import { Card } from './card.js'

interface Measured {
  readonly latest: Load | null
  readonly history: readonly Sample[]
}

/** The load of the host's machine, drawn as it arrives. */
export function LoadChart() {
  const [{ latest, history }, setMeasured] = useState<Measured>({ latest: null, history: [] })
  useRpcMethod('load', (load) => {
    const at = performance.now() / 1_000
    setMeasured((before) => ({ latest: load, history: withLoad(before.history, load, at) }))
  })
  const isConnected = useRpcState((state) => state.status === 'connected')
  const { loadTitle } = useSurface()
  const last = history.at(-1)
  return (
    <Card title={loadTitle} icon="chart" code="useRpcMethod('load', …)" className="load">
      <dl className="load-values">
        <div className="load-cpu">
          <dt>Processor</dt>
          <dd>{latest ? formatShare(latest.cpu) : '–'}</dd>
        </div>
        <div className="load-memory">
          <dt>Memory</dt>
          <dd>
            {latest ? formatShare(latest.memory.used / latest.memory.total) : '–'}
            {latest && (
              <small>
                {formatBytes(latest.memory.used)} of {formatBytes(latest.memory.total)}
              </small>
            )}
          </dd>
        </div>
      </dl>
      <div className={`plot ${isConnected ? '' : 'is-stale'}`}>
        <div className="plot-window">
          <Plot history={history} />
        </div>
        {last && <PlotDot quantity="memory" share={last.memory} />}
        {last && <PlotDot quantity="cpu" share={last.cpu} />}
        {!last && <p className="plot-empty">The first sample is on its way …</p>}
      </div>
      <p className="plot-axis" aria-hidden="true">
        <span>{SPAN_S} s ago</span>
        <span>now</span>
      </p>
    </Card>
  )
}

const QUANTITIES = ['memory', 'cpu'] as const

/** Where a line is at the right edge. It moves there as the line does. */
function PlotDot({ quantity, share }: { quantity: string; share: number }) {
  const transform = `translateY(${((1 - share) * 100).toFixed(2)}%)`
  return <span className={`plot-dot is-${quantity}`} style={{ transform }} />
}

/** Lines over time, drawn once for each sample and then moved as a whole, which costs little. */
function Plot({ history }: { history: readonly Sample[] }) {
  const id = useId()
  const lines = useRef<SVGSVGElement>(null)
  useEffect(() => {
    const shift = lastShift(history)
    if (shift === 0 || matchMedia('(prefers-reduced-motion: reduce)').matches) return
    // As long as until the next sample comes: the line never stands still.
    const frames = { transform: [`translateX(${shift * 100}%)`, 'none'] }
    const moving = lines.current?.animate(frames, { duration: shift * SPAN_S * 1_000 })
    return () => moving?.cancel()
  }, [history])
  const size = {
    viewBox: `0 0 ${CHART.width} ${CHART.height}`,
    preserveAspectRatio: 'none',
  }
  return (
    <>
      <svg className="plot-svg plot-grid" {...size} aria-hidden="true">
        {[0, 25, 50, 75].map((y) => (
          <path key={y} d={`M0 ${y}H${CHART.width}`} />
        ))}
      </svg>
      <svg
        className="plot-svg plot-lines"
        ref={lines}
        {...size}
        role="img"
        aria-label={`Processor and memory over the last ${SPAN_S} seconds`}
      >
        {QUANTITIES.map((quantity) => {
          const { line, area } = drawHistory(history, quantity)
          return (
            <g key={quantity} className={`is-${quantity}`}>
              <linearGradient id={`${id}-${quantity}`} x1="0" x2="0" y1="0" y2="1">
                <stop offset="0" stopOpacity="0.36" />
                <stop offset="1" stopOpacity="0" />
              </linearGradient>
              <path d={area} fill={`url(#${id}-${quantity})`} />
              <path className="plot-line" d={line} />
            </g>
          )
        })}
      </svg>
    </>
  )
}
