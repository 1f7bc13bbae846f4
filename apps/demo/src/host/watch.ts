import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { watch } from 'chokidar'
import type { Change } from '../contract.js'
import { pathIn } from './folder.js'
import { isIgnoredName } from './ignored.js'

/** The most files and folders that are watched: each costs a handle of the system. */
const MAX_WATCHED = 8_000
/** The most changes that are told in one second; a checkout or a build makes thousands. */
const MAX_PER_SECOND = 40

/** How long after a file's first sign of change it is looked at, in ms. */
const SETTLE_MS = 60

export interface WatchEvents {
  change(change: Change): void
  /** Something a person at the terminal should know: not all is watched. */
  warn(message: string): void
}

/**
 * Watches a folder's files.
 *
 * @returns once all are watched: ends that.
 */
export async function watchFolder(
  folder: string,
  events: WatchEvents,
): Promise<() => Promise<void>> {
  const warnOnce = once(events.warn)
  const admitted = new Set<string>()
  const isLeftOut = (path: string): boolean => {
    if (path === folder || admitted.has(path)) return false
    if (isIgnoredName(basename(path))) return true
    if (admitted.size >= MAX_WATCHED) {
      warnOnce(`The folder is large: ${MAX_WATCHED} of its files and folders are watched.`)
      return true
    }
    admitted.add(path)
    return false
  }
  const settling = settled(paced(folder, events.change))
  const watcher = watch(folder, {
    ignored: isLeftOut,
    ignoreInitial: true,
    followSymlinks: false,
    ignorePermissionErrors: true,
  })
  const on = (kind: Change['kind']) => (path: string) => {
    if (kind === 'removed') admitted.delete(path)
    settling.saw(kind, path)
  }
  watcher.on('add', on('added')).on('change', on('changed')).on('unlink', on('removed'))
  watcher.on('unlinkDir', (path) => admitted.delete(path))
  watcher.on('error', (error) => warnOnce(`Not all files are watched: ${explain(error)}`))
  await new Promise<void>((resolve) => {
    watcher.once('ready', resolve)
  })
  return async () => {
    settling.stop()
    await watcher.close()
  }
}

/** Gathers what happens to a file in one go: programs empty a file, and fill it a moment later. */
function settled(tell: (kind: Change['kind'], path: string) => Promise<void>) {
  const waiting = new Map<string, { kind: Change['kind']; timer: NodeJS.Timeout }>()
  return {
    saw(kind: Change['kind'], path: string): void {
      const before = waiting.get(path)
      if (before) {
        before.kind = inOne(before.kind, kind)
        return
      }
      const timer = setTimeout(() => {
        const seen = waiting.get(path)
        waiting.delete(path)
        if (seen) void tell(seen.kind, path)
      }, SETTLE_MS)
      waiting.set(path, { kind, timer })
    },
    stop(): void {
      for (const { timer } of waiting.values()) clearTimeout(timer)
      waiting.clear()
    },
  }
}

/** Two things that happened to a file, as one. */
function inOne(first: Change['kind'], second: Change['kind']): Change['kind'] {
  if (first === 'added' && second === 'changed') return 'added'
  return first === 'removed' && second === 'added' ? 'changed' : second
}

/** Lets through so many in a second, and counts the rest into the next one that gets through. */
function paced(
  folder: string,
  tell: (change: Change) => void,
): (kind: Change['kind'], path: string) => Promise<void> {
  let windowStart = Number.NEGATIVE_INFINITY
  let told = 0
  let skipped = 0
  return async (kind, path) => {
    const now = performance.now()
    if (now - windowStart >= 1_000) {
      windowStart = now
      told = 0
    }
    if (told === MAX_PER_SECOND) {
      skipped++
      return
    }
    told++
    const change = { kind, path: pathIn(folder, path), at: Date.now(), skipped }
    skipped = 0
    tell({ ...change, bytes: kind === 'removed' ? null : await sizeOf(path) })
  }
}

/** null where it is gone meanwhile; that will be told, too. */
async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size
  } catch {
    return null
  }
}

function once(tell: (message: string) => void): (message: string) => void {
  let told = false
  return (message) => {
    if (!told) tell(message)
    told = true
  }
}

function explain(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EMFILE') return 'the system allows no more watched files'
  return message
}
