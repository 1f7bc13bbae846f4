import { createContext, useContext } from 'react'
import type { Step } from './step.js'

/** What the page is shown in, as far as it speaks of it: each entry of the build says which. */
export interface Surface {
  /** What the page is to the person. */
  readonly page: 'page' | 'window'
  /** Who is at the other end, at the beginning of a sentence and within one. */
  readonly host: { readonly begin: string; readonly within: string }
  /** What they talk over. */
  readonly wire: string
  /** The address of the control page, if there is one. */
  readonly controlPage?: string
  /** Whether the other end tells which pages are open. An Electron host does not. */
  readonly tellsPages: boolean
  readonly headline: { readonly inward: string; readonly outward: string }
  readonly loadTitle: string
  readonly steps: Readonly<Record<Step, { readonly title: string; readonly text: string }>>
  /** The steps that have happened before the page began. */
  readonly done: readonly Step[]
  /** What the page calls itself, such as `Chrome on Linux`. */
  readonly name: string
}

export const SurfaceContext = createContext<Surface | null>(null)

/** What the page is shown in. */
export function useSurface(): Surface {
  const surface = useContext(SurfaceContext)
  if (!surface) throw new Error('There is no SurfaceContext around this component')
  return surface
}
