import { FILES, type Files } from './files.ts'

/** An example to begin with. */
export interface Example {
  /** Its folder in `examples`. */
  readonly name: string
  readonly title: string
  readonly files: Files
}

/** The files of `examples`, which are programs of this package: their types are checked. */
const SOURCES = import.meta.glob<string>('./examples/*/*.ts', {
  query: '?raw',
  import: 'default',
  eager: true,
})

/** The examples, in the order of the list. */
export const EXAMPLES: readonly [Example, ...Example[]] = [
  example('calls', 'Calls, both ways'),
  example('streams', 'Streams'),
  example('validation', 'Params that break their schema'),
  example('errors', 'Errors of a handler'),
  example('cancel', 'Progress, cancelling and time limits'),
]

function example(name: string, title: string): Example {
  const files = FILES.map((file) => [file, SOURCES[`./examples/${name}/${file}`] ?? ''] as const)
  return { name, title, files: Object.fromEntries(files) as unknown as Files }
}
