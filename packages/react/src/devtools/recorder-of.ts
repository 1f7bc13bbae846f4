import type { AnyClient } from '@flashrpc/core'
import { Recorder } from './recorder.js'

/** Those that record now, by their client: several panels show one recording. */
const recorders = new WeakMap<AnyClient, { readonly recorder: Recorder; holders: number }>()

/** The recorder of a client, which records while it is held. @returns lets go of it. */
export function holdRecorder(client: AnyClient): { recorder: Recorder; release: () => void } {
  const held = recorders.get(client) ?? { recorder: new Recorder(client), holders: 0 }
  recorders.set(client, held)
  held.holders++
  return {
    recorder: held.recorder,
    release: () => {
      if (--held.holders > 0) return
      held.recorder.end()
      recorders.delete(client)
    },
  }
}
