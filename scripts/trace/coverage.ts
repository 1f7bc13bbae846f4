import { type Debugger, type Profiler, Session } from 'node:inspector'
import { pathToFileURL } from 'node:url'

/** A script of which functions have run. */
export interface CoveredScript {
  readonly url: string
  /** As V8 has it, after what a loader may have done to it. */
  readonly text: string
  readonly functions: readonly CoveredFunction[]
}

export interface CoveredFunction {
  /** Empty if it has none. */
  readonly name: string
  /** Where it begins in the script, in characters. */
  readonly start: number
  readonly calls: number
}

/** Which functions run in this process, as V8 counts them. */
export class Coverage {
  readonly #session = new Session()
  readonly #prefix: string

  /** @param folder only scripts within it are told of. */
  constructor(folder: string) {
    this.#prefix = `${pathToFileURL(folder).href}/`
    this.#session.connect()
    this.#post('Profiler.enable')
  }

  /** Begins to count. */
  start(): void {
    // Without blocks: functions are what is counted.
    this.#post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
    this.#post('Profiler.takePreciseCoverage')
  }

  /** Ends counting. @returns the scripts that functions of have run since `start`. */
  stop(): CoveredScript[] {
    const { result } = this.#post(
      'Profiler.takePreciseCoverage',
    ) as Profiler.TakePreciseCoverageReturnType
    this.#post('Profiler.stopPreciseCoverage')
    this.#post('Debugger.enable')
    const scripts = result
      .filter(({ url }) => url.startsWith(this.#prefix))
      .map(({ url, scriptId, functions }) => ({
        url,
        text: this.#textOf(scriptId),
        functions: functions.flatMap(({ functionName, ranges: [range] }) => {
          // The script itself is no function of it.
          const isScript = functionName === '' && range?.startOffset === 0
          if (!range || range.count === 0 || isScript) return []
          return [{ name: functionName, start: range.startOffset, calls: range.count }]
        }),
      }))
    this.#post('Debugger.disable')
    return scripts.filter(({ functions }) => functions.length > 0)
  }

  #textOf(scriptId: string): string {
    const { scriptSource } = this.#post('Debugger.getScriptSource', {
      scriptId,
    }) as Debugger.GetScriptSourceReturnType
    return scriptSource
  }

  /** In a session with its own thread all is answered at once, and nothing else runs meanwhile. */
  #post(method: string, params: object = {}): object {
    let answer: object | undefined
    this.#session.post(method, params, (error, result) => {
      if (error) throw new Error(`${method}: ${error.message}`)
      answer = result ?? {}
    })
    if (!answer) throw new Error(`${method} was not answered at once`)
    return answer
  }
}
