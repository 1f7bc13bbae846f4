import { useRpcMethod } from '@flashrpc/react'
import { type KeyboardEvent, useId, useState } from 'react'
import { useFileHash } from '../hooks/use-file-hash.js'
import { useFiles } from '../hooks/use-files.js'
import { Card } from './card.js'
import { FileList } from './file-list.js'
import { HashOutcome } from './hash-outcome.js'
import { Icon } from './icon.js'

/** The most files shown at once: whoever looks for one more types. */
const MAX_SHOWN = 60

/** Finds a file of the folder and lets the server hash it. */
export function FileHasher({ onHashed }: { onHashed: () => void }) {
  const listed = useFiles()
  const [wanted, setWanted] = useState('')
  const [active, setActive] = useState(0)
  const [staleAfter, setStaleAfter] = useState<string | null>(null)
  const { hashing, hash, cancel } = useFileHash(onHashed)
  const listId = useId()

  const hashed = hashing.status === 'done' ? hashing.hash.path : null
  useRpcMethod('notify', ({ path }) => {
    if (path === hashed) setStaleAfter(path)
  })
  const start = (path: string): void => {
    setStaleAfter(null)
    hash(path)
  }

  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean)
  const matching = (listed?.files ?? []).filter(({ path }) =>
    words.every((word) => path.toLowerCase().includes(word)),
  )
  const shown = matching.slice(0, MAX_SHOWN)
  const current = Math.min(active, shown.length - 1)

  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step && shown.length > 0) {
      event.preventDefault()
      setActive((current + step + shown.length) % shown.length)
    } else if (event.key === 'Enter') {
      // What matches nothing is sent as it was written: the server knows best.
      const path = shown[current]?.path ?? wanted.trim()
      if (path) start(path)
    } else if (event.key === 'Escape') setWanted('')
  }

  return (
    <Card title="Hash a file" icon="hash" code="await rpc.hashFile({ path })" className="hasher">
      <div className="finder">
        <label className="finder-input">
          <Icon name="search" />
          <span className="unseen">Find a file</span>
          <input
            type="text"
            role="combobox"
            aria-expanded={shown.length > 0}
            aria-controls={listId}
            aria-autocomplete="list"
            aria-activedescendant={shown[current] ? `${listId}-${current}` : undefined}
            placeholder={listed ? `Find one of ${countOf(listed)} files` : 'Find a file'}
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            value={wanted}
            onKeyDown={onKeyDown}
            onChange={(event) => {
              setWanted(event.target.value)
              setActive(0)
            }}
          />
          <kbd>Enter</kbd>
        </label>
        <FileList id={listId} files={shown} active={current} onPick={start} />
        {listed && shown.length === 0 && (
          <p className="finder-none">
            {wanted
              ? 'No file listed here matches. Enter sends it as it is written.'
              : 'The folder has no files yet.'}
          </p>
        )}
      </div>
      <HashOutcome
        hashing={hashing}
        isStale={staleAfter !== null && staleAfter === hashed}
        onAgain={start}
        onCancel={cancel}
      />
    </Card>
  )
}

function countOf({ files, more }: { files: readonly unknown[]; more: boolean }): string {
  return `${files.length.toLocaleString('en')}${more ? '+' : ''}`
}
