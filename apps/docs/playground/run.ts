import { FILES, type FileName, type Files, type Side } from './files.ts'
import type { Level, PageMessage, ProgramMessage, StartMessage } from './messages.ts'
import { transpile } from './transpile.ts'

/** A line that a program has printed, or that the page says about it. */
export interface Line {
  readonly side: Side | 'page'
  readonly level: Level
  readonly text: string
}

/** What a run tells. */
export interface RunEvents {
  line(line: Line): void
  /** Whether a program does not answer, as one in an endless loop. */
  busy(side: Side, isBusy: boolean): void
}

/** How often the programs are asked whether they are alive, in ms: one that has not answered by the next time is busy. */
const ASK_EVERY_MS = 1_000
/** After how long a worker may send more lines, in ms: the page draws them in this time. */
const DRAW_MS = 50

/**
 * Starts the two programs, each in a worker. A port leads from one to the other.
 *
 * @returns ends both, also one that never answers.
 * @throws {TranspileError} if a file is not TypeScript. Nothing is started then.
 */
export function run(files: Files, events: RunEvents): () => void {
  const code = new Map(FILES.map((name) => [name, transpile(name, files[name])]))
  const { port1, port2 } = new MessageChannel()
  const ends = [
    startProgram('server', modulesOf('server.ts', code), port1, events),
    startProgram('client', modulesOf('client.ts', code), port2, events),
  ]
  return () => {
    for (const end of ends) end()
  }
}

function modulesOf(main: FileName, code: ReadonlyMap<FileName, string>): StartMessage['modules'] {
  return (['contract.ts', main] as const).map((name) => ({ name, code: code.get(name) ?? '' }))
}

function startProgram(
  side: Side,
  modules: StartMessage['modules'],
  peer: MessagePort,
  { line, busy }: RunEvents,
): () => void {
  const worker = new Worker(new URL('./program-worker.ts', import.meta.url), {
    type: 'module',
  })
  const { port1: port, port2: page } = new MessageChannel()
  const tell = (message: PageMessage) => port.postMessage(message)
  let isAlive = false
  let isAsked = false
  let shown = 0
  let drawing: ReturnType<typeof setTimeout> | undefined

  worker.onerror = (event) => {
    event.preventDefault()
    line({
      side,
      level: 'error',
      text: `The worker could not be loaded: ${event.message ?? 'is the site still there?'}`,
    })
  }
  port.onmessage = ({ data }: MessageEvent<ProgramMessage>) => {
    if (data.type === 'alive') {
      isAlive = true
      isAsked = false
      busy(side, false)
      return
    }
    line({ side, level: data.level, text: data.text })
    shown++
    drawing ??= setTimeout(() => {
      drawing = undefined
      tell({ type: 'shown', lines: shown })
      shown = 0
    }, DRAW_MS)
  }
  worker.postMessage({ modules, peer, page } satisfies StartMessage, [peer, page])

  const asking = setInterval(() => {
    if (!isAlive) return // It is still being loaded.
    if (isAsked) return busy(side, true)
    isAsked = true
    tell({ type: 'alive?' })
  }, ASK_EVERY_MS)

  return () => {
    clearInterval(asking)
    clearTimeout(drawing)
    worker.terminate()
    port.close()
    busy(side, false)
  }
}
