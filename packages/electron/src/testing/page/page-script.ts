import { readFileSync } from 'node:fs'
import { Script } from 'node:vm'
import { createStructuredText } from '../structured-text.js'
import { createEventEmitter } from './event-emitter.js'
import { runIsolatedWorld } from './isolated-world.js'
import { preparePage } from './main-world.js'
import { watchPortTransfers } from './port-transfers.js'
import { createWorldBridge } from './world-bridge.js'

/** Name of the isolated world in which preloads run. */
export const ISOLATED_WORLD = 'electron-isolated-world'

/** Name of the DevTools binding that carries text from the isolated world to the main process. */
export const UP = '__benchUp'

/** Name of the isolated world's function that the main process calls. */
export const DOWN = '__benchDown'

/** The parts of the scripts of one window's documents. */
export interface PageScriptOptions {
  /** Names the events of the context bridge; no page can know it. */
  readonly secret: string
  /** Files of preloads, in the order in which they run. */
  readonly preloads: readonly string[]
  readonly inSubFrames: boolean
  /** Leaves an empty document alone: it is not the one that the window was opened for. */
  readonly skipEmpty: boolean
  /** The `process` that a preload sees. */
  readonly process: Record<string, unknown>
}

// tsx and esbuild call this in the functions that they print, if they keep names.
const PRELUDE = 'const __name = (value) => value;'

/**
 * Whether this document has had the script already: it may reach a document both as one that exists
 * and as one that is made. By document, as an empty one and the first real one may share a window.
 */
const ONCE = (() => {
  const key = "Symbol.for('flashrpc.electron-bench')"
  const set = `Object.defineProperty(globalThis, ${key}, { value: document, configurable: true })`
  return `globalThis[${key}] === document || void ${set}`
})()

function unless(skipEmpty: boolean): string {
  return skipEmpty ? `location.href === 'about:blank' || ${ONCE}` : ONCE
}

/**
 * Prepares the first, empty document of a window that a page opened. Without that, its window object would serve the
 * next document of the same origin, too, and no script would run for that.
 */
export const LEAVE_FIRST_DOCUMENT = 'document.open(); document.close()'

/** The script that runs in a page's own world before the page's first script. */
export function mainWorldScript({ secret, skipEmpty }: PageScriptOptions): string {
  return `(() => { ${PRELUDE}
    if (${unless(skipEmpty)}) return;
    (${preparePage})((${watchPortTransfers})());
    (${createWorldBridge})(${JSON.stringify(secret)}, 'main', ${createStructuredText});
  })()`
}

/** The script that runs in a page's isolated world, and in it the preloads. */
export function isolatedWorldScript(options: PageScriptOptions): string {
  const { secret, preloads, inSubFrames, skipEmpty, process } = options
  return `(() => { ${PRELUDE}
    if (${unless(skipEmpty)}) return;
    const createStructuredText = ${createStructuredText};
    (${runIsolatedWorld})({
      text: createStructuredText(),
      EventEmitter: (${createEventEmitter})(),
      transfers: (${watchPortTransfers})(),
      bridge: (${createWorldBridge})(${JSON.stringify(secret)}, 'isolated', createStructuredText),
      up: ${JSON.stringify(UP)},
      down: ${JSON.stringify(DOWN)},
      process: ${JSON.stringify(process)},
      inSubFrames: ${inSubFrames},
      preloads: [${preloads.map(preloadFunction).join(',\n')}],
    });
  })()`
}

/** A preload as CommonJS: an expression of its path and of a function with the module's scope. */
function preloadFunction(path: string): string {
  const scope =
    'exports, require, module, __filename, __dirname, process, global, setImmediate, clearImmediate'
  let run: string
  try {
    run = `function (${scope}) {\n${readFileSync(path, 'utf8')}\n}`
    // One that does not parse must not take the others, and the bench's own part, with it.
    new Script(`(${run})`, { filename: path })
  } catch (error) {
    run = `function () { throw new Error(${JSON.stringify(String(error))}) }`
  }
  return `{ path: ${JSON.stringify(path)}, run: ${run} }`
}
