import { parseArgs } from 'node:util'
import { TEMPLATE_NAMES, TEMPLATES, type TemplateName, templateNamed } from './templates.js'
import { UsageError } from './usage-error.js'

/** The arguments of the program. */
export interface CommandLine {
  /** The folder of the app; undefined if it was not given. */
  readonly folder: string | undefined
  /** Undefined if it was not given. */
  readonly template: TemplateName | undefined
  readonly help: boolean
  readonly version: boolean
}

/**
 * Reads the arguments.
 *
 * @param env the environment, in which npm tells the options that it took.
 * @throws {UsageError} if there is no such option, no such template, or more than one folder; if npm took the template.
 */
export function parseCommandLine(
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): CommandLine {
  const { values, positionals } = parse(args)
  const [folder, second] = positionals
  const taken = env.npm_config_template ?? env.npm_config_t
  if (values.template === undefined && taken !== undefined) {
    // npm reads `--template node` as an option without a value, and passes "node" on; `--template=node` has its value.
    const name = TEMPLATE_NAMES.find((known) => known === taken || known === second) ?? 'NAME'
    throw new UsageError(
      `npm kept --template for itself. Write -- before it: npm create flashrpc@latest ${folder ?? 'FOLDER'} -- --template ${name}`,
    )
  }
  if (second !== undefined) {
    throw new UsageError(
      `An app has one folder; these are ${positionals.length}: ${positionals.join(', ')}. Put quotes around a name with spaces.`,
    )
  }
  return {
    folder,
    template: values.template === undefined ? undefined : templateNamed(values.template),
    help: values.help ?? false,
    version: values.version ?? false,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        template: { type: 'string', short: 't' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'V' },
      },
    })
  } catch (cause) {
    const [what = ''] = (cause as Error).message.split('. ')
    throw new UsageError(`${what}. The options are --template NAME, --help and --version.`, {
      cause,
    })
  }
}

const width = Math.max(...Object.keys(TEMPLATES).map(({ length }) => length))

/** What `--help` prints. */
export const HELP = `Creates an app with flashrpc from a template.

  npm create flashrpc@latest [FOLDER] -- [--template NAME]

In a terminal, it asks for the folder and the template if you leave them out. "." is the current folder. The folder must
be new or empty.

Options:
  -t, --template NAME   the template
  -h, --help            print this
  -V, --version         print the version

Templates:
${Object.entries(TEMPLATES)
  .map(([name, what]) => `  ${name.padEnd(width)}   ${what}`)
  .join('\n')}`
