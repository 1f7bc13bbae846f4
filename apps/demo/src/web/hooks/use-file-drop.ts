import { useEffect, useInsertionEffect, useRef, useState } from 'react'

/**
 * Takes files that are dropped anywhere on the page, which a browser would otherwise open in its place.
 *
 * @returns whether files are held over the page.
 */
export function useFileDrop(onFiles: (files: readonly File[]) => void): boolean {
  const [isOver, setIsOver] = useState(false)
  const newest = useRef(onFiles)
  useInsertionEffect(() => {
    newest.current = onFiles
  })
  useEffect(() => {
    const listening = new AbortController()
    const on = (type: 'dragover' | 'dragleave' | 'drop', hear: (event: DragEvent) => void) =>
      window.addEventListener(type, hear, { signal: listening.signal })
    on('dragover', (event) => {
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      event.dataTransfer.dropEffect = 'copy'
      setIsOver(true)
    })
    on('dragleave', ({ relatedTarget }) => {
      // From one element to the next is no leaving.
      if (relatedTarget === null) setIsOver(false)
    })
    on('drop', (event) => {
      setIsOver(false)
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      newest.current([...event.dataTransfer.files])
    })
    return () => listening.abort()
  }, [])
  return isOver
}
