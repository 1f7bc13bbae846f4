import { readFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { requireEmpty } from './app-folder.js'
import { askForFolder, askForTemplate, type Terminal } from './ask.js'
import { HELP, parseCommandLine } from './command-line.js'
import { createApp } from './create-app.js'
import { TEMPLATE_NAMES } from './templates.js'
import { UsageError } from './usage-error.js'

/** As shells say it of a program that Ctrl-C ended. */
const INTERRUPTED = 130

/**
 * Runs the program.
 *
 * @returns the exit code: 0 if the app was created, or help was asked for; 1 if a file could not be written; 2 if the command
 *   line is wrong, or its folder can't be used; 130 if the person did not answer a question.
 */
export async function run(args: readonly string[]): Promise<number> {
  try {
    return await create(args)
  } catch (error) {
    console.error((error as Error).message)
    return error instanceof UsageError ? 2 : 1
  }
}

async function create(args: readonly string[]): Promise<number> {
  const given = parseCommandLine(args)
  if (given.help || given.version) {
    console.log(given.help ? HELP : version())
    return 0
  }
  const terminal = terminalOf(process)
  const folder = given.folder ?? (await askForFolder(requireTerminal(terminal)))
  if (folder === undefined) return INTERRUPTED
  requireEmpty(folder)
  const template = given.template ?? (await askForTemplate(requireTerminal(terminal)))
  if (template === undefined) return INTERRUPTED
  createApp(template, folder)
  console.log(nextSteps(folder))
  return 0
}

function terminalOf({ stdin, stdout }: NodeJS.Process): Terminal | undefined {
  return stdin.isTTY && stdout.isTTY ? { input: stdin, output: stdout } : undefined
}

function requireTerminal(terminal: Terminal | undefined): Terminal {
  if (terminal) return terminal
  throw new UsageError(
    `The folder and the template are required where there is no terminal to ask in, such as: npm create flashrpc@latest my-app -- --template node. The templates are ${TEMPLATE_NAMES.join(', ')}.`,
  )
}

/** What to do with the new app, with the package manager that runs this program. */
function nextSteps(folder: string): string {
  const path = relative('', resolve(folder))
  const enter = path === '' ? [] : [`cd ${/^[\w./\\~-]+$/.test(path) ? path : `"${path}"`}`]
  const manager = /^(pnpm|yarn|bun)\//.exec(process.env.npm_config_user_agent ?? '')?.[1] ?? 'npm'
  const steps = [...enter, `${manager} install`, `${manager} run dev`]
  const where = path === '' ? 'this folder' : path
  return `\nThe app is in ${where}. Its README.md says what each file does. Next:\n\n${steps.map((step) => `  ${step}\n`).join('')}`
}

function version(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
