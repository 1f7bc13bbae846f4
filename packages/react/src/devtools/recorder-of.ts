import type { AnyClient } from '@flashrpc/core'
import { Recorder } from './recorder.js'

/** Those that record now, by their client: several panels show one recording. */
const recorders = new WeakMap<AnyClient, { readonly recorder: Recorder; holders: number }>()

/** @returns the recorder of a client's calls, if it is held. */
export function recorderOf(client: AnyClient): Recorder | undefined {
  return recorders.get(client)?.recorder
}

/**
 * Holds the recorder of a client's calls. @returns a function that releases it. The recorder ends with the last
 * holder.
 */
export function holdRecorder(client: AnyClient): () => void {
  const held = recorders.get(client) ?? { recorder: new Recorder(client), holders: 0 }
  recorders.set(client, held)
  held.holders++
  return () => {
    if (--held.holders > 0) return
    held.recorder.end()
    recorders.delete(client)
  }
}
