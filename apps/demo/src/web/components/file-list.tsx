import { useEffect, useRef } from 'react'
import type { File } from '../../contract.js'
import { formatBytes, splitPath } from '../lib/format.js'
import { Icon } from './icon.js'

interface FileListProps {
  /** The id of the list; its options' are this and their index. */
  id: string
  files: readonly File[]
  /** The index of the one that the keyboard is on. */
  active: number
  onPick: (path: string) => void
}

/** Files to pick one of. The keyboard stays in the field above it. */
export function FileList({ id, files, active, onPick }: FileListProps) {
  const list = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const box = list.current
    const option = box?.children.item(active)
    // `scrollIntoView` would scroll the page as well.
    if (!box || !(option instanceof HTMLElement)) return
    if (option.offsetTop < box.scrollTop) box.scrollTop = option.offsetTop
    const overhang = option.offsetTop + option.offsetHeight - box.clientHeight
    if (overhang > box.scrollTop) box.scrollTop = overhang
  }, [active])
  return (
    <div className="files" id={id} ref={list} role="listbox" aria-label="Files">
      {files.map(({ path, bytes }, index) => {
        const { folder, name } = splitPath(path)
        return (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field above it has the keyboard
          <div
            key={path}
            id={`${id}-${index}`}
            className="file"
            role="option"
            tabIndex={-1}
            aria-selected={index === active}
            aria-label={`${path} ${formatBytes(bytes)}`}
            onClick={() => onPick(path)}
            title={path}
          >
            <Icon name="file" />
            <span className="file-path">
              <span className="file-folder">{folder}</span>
              <span className="file-name">{name}</span>
            </span>{' '}
            <span className="file-size">{formatBytes(bytes)}</span>
          </div>
        )
      })}
    </div>
  )
}
