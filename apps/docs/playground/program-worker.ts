import { formatLine, formatValue } from './format-value.ts'
import {
  type Level,
  LINES_ON_THE_WAY,
  type PageMessage,
  type ProgramMessage,
  type StartMessage,
} from './messages.ts'
import { fileOf, runModules } from './modules.ts'

/** The worker of a program. What the program prints goes to the page, over a port that the program does not know. */

addEventListener('message', ({ data }: MessageEvent<StartMessage>) => void start(data), {
  once: true,
})

async function start({ modules, peer, page }: StartMessage): Promise<void> {
  let unseen = 0
  let skipped = 0
  const tell = (message: ProgramMessage) => page.postMessage(message)

  function print(level: Level, text: string): void {
    if (unseen >= LINES_ON_THE_WAY) {
      skipped++
      return
    }
    unseen++
    tell({ type: 'line', level, text })
  }

  page.onmessage = ({ data }: MessageEvent<PageMessage>) => {
    if (data.type === 'alive?') return tell({ type: 'alive' })
    unseen -= data.lines
    if (skipped === 0) return
    const text = `… ${skipped} more lines, which were too many to show`
    skipped = 0
    print('warn', text)
  }

  const printer =
    (level: Level) =>
    (...values: unknown[]) =>
      print(level, formatLine(values))
  Object.assign(console, {
    debug: printer('log'),
    dir: printer('log'),
    error: printer('error'),
    info: printer('log'),
    log: printer('log'),
    table: printer('log'),
    trace: printer('log'),
    warn: printer('warn'),
    assert: (isTrue: unknown, ...values: unknown[]) => {
      if (!isTrue) print('error', formatLine(['Assertion failed:', ...values]))
    },
  })

  addEventListener('error', (event) => {
    event.preventDefault()
    print('error', `Uncaught ${describe(event.error, event)}`)
  })
  addEventListener('unhandledrejection', (event) => {
    event.preventDefault()
    print('error', `Uncaught (in promise) ${describe(event.reason)}`)
  })

  tell({ type: 'alive' })
  try {
    await runModules(modules, peer)
  } catch (error) {
    // Tells the listener above. An error of the syntax has its line only there.
    reportError(error)
  }
}

/** An error with the line that it comes from. For an error of the syntax, only the event knows the line. */
function describe(error: unknown, event?: ErrorEvent): string {
  const text = formatValue(error)
  const file = fileOf(event?.filename ?? '')
  return file === undefined ? text : `${text}\n    at ${file}:${event?.lineno}`
}
