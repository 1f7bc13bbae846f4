import { createRequire } from 'node:module'
import { dirname } from 'node:path'

/**
 * Checks one program as `tsc -p CONFIG` does, with `skipLibCheck: false` for the declarations beside it only: those of
 * flashrpc. With everybody else's, it would take three times as long.
 *
 * Arguments: the name of the compiler's package, and the path of the configuration.
 */

const [compiler, config] = process.argv.slice(2)
/** @type {import('typescript')} */
const ts = createRequire(import.meta.url)(compiler)

const folder = dirname(config)
const { options, fileNames, errors } = ts.parseJsonConfigFileContent(
  ts.readConfigFile(config, ts.sys.readFile).config,
  ts.sys,
  folder,
)
const program = ts.createProgram(fileNames, options)
const own = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(`${folder}/`))
const diagnostics = [
  ...errors,
  ...program.getOptionsDiagnostics(),
  ...program.getGlobalDiagnostics(),
  ...own.flatMap((file) => [
    ...program.getSyntacticDiagnostics(file),
    ...program.getSemanticDiagnostics(file),
  ]),
]
if (!own.some(({ isDeclarationFile }) => isDeclarationFile))
  throw new Error('No declaration is checked')
const host = {
  getCanonicalFileName: (name) => name,
  getCurrentDirectory: () => folder,
  getNewLine: () => '\n',
}
process.stdout.write(ts.formatDiagnostics(diagnostics, host))
process.exitCode = diagnostics.length > 0 ? 1 : 0
