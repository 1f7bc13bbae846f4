import { useLayoutEffect } from 'react'
import type { DevtoolsPosition } from '../devtools-position.js'

/** The least of the page that is left beside the panel, in px: a narrower rest would be of no use. */
const LEAST_BESIDE = 480

/** One edge of the page, and the panels that are there, one over the other. */
class Edge {
  readonly #property: 'padding-bottom' | 'padding-right'
  /** The sizes of the panels, in px. */
  readonly #sizes = new Map<object, number>()
  /** The value and the priority of the page's own style attribute, without panels. */
  #before: [value: string, priority: string] = ['', '']
  /** The padding that the page had without panels, from any rule. */
  #padding = '0px'

  constructor(property: 'padding-bottom' | 'padding-right') {
    this.#property = property
  }

  /** @returns a function that gives the room back. */
  makeRoom(size: number): () => void {
    const page = document.documentElement
    if (this.#sizes.size === 0) {
      const { style } = page
      this.#before = [
        style.getPropertyValue(this.#property),
        style.getPropertyPriority(this.#property),
      ]
      this.#padding = getComputedStyle(page).getPropertyValue(this.#property)
    }
    const panel = {}
    this.#sizes.set(panel, size)
    this.#pad()
    return () => {
      this.#sizes.delete(panel)
      this.#pad()
    }
  }

  #pad(): void {
    const { style } = document.documentElement
    if (this.#sizes.size === 0) style.setProperty(this.#property, ...this.#before)
    else {
      const room = Math.max(...this.#sizes.values())
      style.setProperty(this.#property, `calc(${this.#padding} + ${room}px)`)
    }
  }
}

const bottom = new Edge('padding-bottom')
const right = new Edge('padding-right')

/**
 * Makes room for the panel at the page's edge, so that all of the page can be reached while it is open: as padding of
 * the document, added to its own. When the last panel at the edge closes, the document's style is as it was.
 *
 * @param size of the panel, in px.
 */
export function useRoom(position: DevtoolsPosition, size: number): void {
  useLayoutEffect(() => {
    if (position === 'floating') return
    if (position === 'right' && innerWidth - size < LEAST_BESIDE) return
    return (position === 'bottom' ? bottom : right).makeRoom(size)
  }, [position, size])
}
