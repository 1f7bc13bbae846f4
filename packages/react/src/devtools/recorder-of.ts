import type { AnyClient } from '@flashrpc/core'
import { Recorder } from './recorder.js'

/** Those that record now, by their client: several panels show one recording. */
const recorders = new WeakMap<AnyClient, { readonly recorder: Recorder; holders: number }>()

/** Who records a client's calls, while anybody does. */
export function recorderOf(client: AnyClient): Recorder | undefined {
  return recorders.get(client)?.recorder
}

/** Has a client's calls recorded. @returns lets go of the recorder, which ends with the last who holds it. */
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
