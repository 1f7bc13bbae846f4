/** Where something is on the screen, in its density-independent pixels. */
export interface Place {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** The page is made for such a size, and still fits the smaller one. */
const LARGEST = { width: 900, height: 1_000 }
export const SMALLEST = { width: 420, height: 480 }

/** How far a window stands from the one it was opened beside. */
const STEP = 32

/**
 * Two places side by side, in the middle of the screen's work area. On a narrow screen they overlap.
 *
 * @param area the screen without its bars.
 */
export function placeSideBySide(area: Place): [Place, Place] {
  const width = clamp(Math.floor(area.width / 2), SMALLEST.width, LARGEST.width)
  const height = clamp(area.height, SMALLEST.height, LARGEST.height)
  const y = area.y + Math.max(0, Math.floor((area.height - height) / 2))
  const left = area.x + Math.max(0, Math.floor((area.width - 2 * width) / 2))
  const right = Math.max(area.x, Math.min(left + width, area.x + area.width - width))
  return [
    { x: left, y, width, height },
    { x: right, y, width, height },
  ]
}

/** A place a step away from another one, as large; where it would leave the area, in its corner. */
export function placeBeside(other: Place, area: Place): Place {
  const width = Math.min(other.width, Math.max(area.width, SMALLEST.width))
  const height = Math.min(other.height, Math.max(area.height, SMALLEST.height))
  const x = other.x + STEP
  const y = other.y + STEP
  return {
    x: x >= area.x && x + width <= area.x + area.width ? x : area.x,
    y: y >= area.y && y + height <= area.y + area.height ? y : area.y,
    width,
    height,
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(value, most))
}
