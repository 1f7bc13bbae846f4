import { useLayoutEffect } from 'react'
import type { DevtoolsPosition } from '../rpc-devtools.js'

/** The least of the page that is left beside the panel, in px: a narrower rest would be of no use. */
const LEAST_BESIDE = 480

/**
 * Makes room for the panel at the page's edge, so that all of the page can be reached while it is open: as padding of
 * the document, which is as it was afterwards.
 *
 * @param size of the panel, in px.
 */
export function useRoom(position: DevtoolsPosition, size: number): void {
  useLayoutEffect(() => {
    const { style } = document.documentElement
    if (position === 'floating') return
    if (position === 'right' && innerWidth - size < LEAST_BESIDE) return
    const side = position === 'bottom' ? 'paddingBottom' : 'paddingRight'
    const before = style[side]
    style[side] = `${size}px`
    return () => {
      style[side] = before
    }
  }, [position, size])
}
