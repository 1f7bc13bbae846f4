import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'

/** What `npm create flashrpc` runs. */
const BIN = fileURLToPath(new URL('../bin/create-flashrpc.js', import.meta.url))

/** How long the program may take, in ms. Far more than it takes. */
const TIMEOUT_MS = 30_000

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the program in a folder, without a terminal. */
export async function run(
  folder: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Ended> {
  const program = start(process.execPath, [BIN, ...args], { cwd: folder, env })
  program.stdin?.end()
  return await ended(program, hear(program))
}

/**
 * Runs the program in a folder, in a terminal.
 *
 * @param answers pairs of a text to wait for, and the keys to press then.
 */
export async function runInTerminal(
  folder: string,
  args: readonly string[],
  answers: readonly (readonly [question: string, keys: string])[],
): Promise<Ended> {
  // It makes a terminal, and copies its own input and output to and from it.
  const command = [process.execPath, BIN, ...args].map((word) => `'${word}'`).join(' ')
  const sized = `stty cols 100 rows 30 && exec ${command}`
  const program = start('script', ['-qec', sized, '/dev/null'], {
    cwd: folder,
    env: { TERM: 'xterm', CI: undefined },
  })
  const heard = hear(program)
  const left = [...answers]
  program.stdout?.on('data', () => {
    const [question, keys] = left[0] ?? []
    if (question === undefined || !textOf(heard.stdout).includes(question)) return
    left.shift()
    program.stdin?.write(String(keys))
  })
  return await ended(program, heard)
}

interface Heard {
  stdout: string
  stderr: string
}

function start(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const env = { ...process.env, npm_config_user_agent: undefined, ...options.env }
  return spawn(command, args, { ...options, env, stdio: 'pipe', timeout: TIMEOUT_MS })
}

function hear(program: ChildProcess): Heard {
  const heard = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    program[name]?.setEncoding('utf8').on('data', (chunk: string) => {
      heard[name] += chunk
    })
  }
  return heard
}

async function ended(program: ChildProcess, heard: Heard): Promise<Ended> {
  const [code] = (await once(program, 'close')) as [number | null]
  return { code, stdout: textOf(heard.stdout), stderr: textOf(heard.stderr) }
}

/** What was printed, without colours and movements of the cursor. */
function textOf(printed: string): string {
  return stripVTControlCharacters(printed).replaceAll('\r\n', '\n')
}
