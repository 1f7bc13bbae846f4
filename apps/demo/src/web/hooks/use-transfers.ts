import { useRpc } from '@flashrpc/react'
import { useEffect, useRef, useState } from 'react'
import { type DroppedFile, MAX_DROPPED_BYTES } from '../../contract.js'
import { formatBytes } from '../lib/format.js'
import { readFile } from '../lib/read-file.js'
import { saveFile } from '../lib/save-file.js'

/** Where a file stands: on its way to the server, kept there, on its way back. */
export type Standing =
  | { status: 'sending'; bytes: number }
  | { status: 'kept'; kept: DroppedFile; note?: string }
  | { status: 'fetching'; kept: DroppedFile; bytes: number }
  | { status: 'failed'; message: string; mayTryAgain: boolean }

/** A file of the person's. */
export interface Transfer {
  readonly id: number
  readonly file: File
  readonly standing: Standing
}

const TOO_LARGE = `Too large: files of ${formatBytes(MAX_DROPPED_BYTES)} at the most are kept`

/** Sends files to the server, and fetches them from there; each is a stream, and several go at once. */
export function useTransfers(): {
  transfers: readonly Transfer[]
  send: (files: readonly File[]) => void
  sendAgain: (transfer: Transfer) => void
  fetch: (transfer: Transfer, kept: DroppedFile) => void
  cancel: (transfer: Transfer) => void
  remove: (transfer: Transfer) => void
} {
  const rpc = useRpc()
  const [transfers, setTransfers] = useState<readonly Transfer[]>([])
  const lastId = useRef(0)
  const running = useRef(new Map<number, AbortController>())
  useEffect(() => {
    const all = running.current
    return () => {
      for (const one of all.values()) one.abort()
    }
  }, [])

  const tell = (id: number, standing: Standing): void =>
    setTransfers((all) => all.map((one) => (one.id === id ? { ...one, standing } : one)))

  /** Runs what can be cancelled. @param failed says where the file stands if it fails. */
  async function run(
    id: number,
    transfer: (signal: AbortSignal) => Promise<void>,
    failed: (message: string) => Standing,
  ): Promise<void> {
    const giveUp = new AbortController()
    running.current.set(id, giveUp)
    try {
      await transfer(giveUp.signal)
    } catch (error) {
      tell(id, failed(giveUp.signal.aborted ? 'Cancelled' : messageOf(error)))
    } finally {
      running.current.delete(id)
    }
  }

  const upload = ({ id, file }: Pick<Transfer, 'id' | 'file'>): void => {
    tell(id, { status: 'sending', bytes: 0 })
    void run(
      id,
      async (signal) => {
        const input = readFile(file, (bytes) => tell(id, { status: 'sending', bytes }))
        const { name, size: bytes } = file
        const kept = await rpc.upload({ name, bytes }, { input, signal })
        tell(id, { status: 'kept', kept })
      },
      (message) => ({ status: 'failed', message, mayTryAgain: true }),
    )
  }

  const send = (files: readonly File[]): void => {
    const added = files.map((file): Transfer => {
      const id = ++lastId.current
      const standing: Standing =
        file.size <= MAX_DROPPED_BYTES
          ? { status: 'sending', bytes: 0 }
          : { status: 'failed', message: TOO_LARGE, mayTryAgain: false }
      return { id, file, standing }
    })
    setTransfers((all) => [...added, ...all])
    for (const one of added) if (one.standing.status === 'sending') upload(one)
  }

  const fetch = ({ id }: Transfer, kept: DroppedFile): void => {
    tell(id, { status: 'fetching', kept, bytes: 0 })
    void run(
      id,
      async (signal) => {
        const parts: Uint8Array<ArrayBuffer>[] = []
        let bytes = 0
        for await (const chunk of rpc.download({ id: kept.id }, { signal })) {
          parts.push(chunk)
          bytes += chunk.byteLength
          tell(id, { status: 'fetching', kept, bytes })
        }
        saveFile(parts, kept.name)
        tell(id, { status: 'kept', kept })
      },
      (note) => ({ status: 'kept', kept, note }),
    )
  }

  return {
    transfers,
    send,
    sendAgain: upload,
    fetch,
    cancel: ({ id }) => running.current.get(id)?.abort(),
    remove: ({ id }) => setTransfers((all) => all.filter((one) => one.id !== id)),
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
