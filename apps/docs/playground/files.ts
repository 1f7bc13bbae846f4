/** The two programs of the playground. */
export type Side = 'server' | 'client'

/** The files of the playground, in the order in which they are shown. */
export const FILES = ['contract.ts', 'server.ts', 'client.ts'] as const
export type FileName = (typeof FILES)[number]

/** The text of each file. */
export type Files = Readonly<Record<FileName, string>>

/** A line of one of the files, such as `server.ts:12`. */
export interface Place {
  readonly file: FileName
  /** From 1. */
  readonly line: number
}

const PLACE = /\b(contract|server|client)\.ts:(\d+)(?::\d+)?/

/** Splits a text at the places that it names: texts, and the places between them. */
export function splitAtPlaces(text: string): (string | (Place & { readonly text: string }))[] {
  const parts: (string | (Place & { readonly text: string }))[] = []
  let rest = text
  for (;;) {
    const match = PLACE.exec(rest)
    if (!match) return [...parts, rest]
    const [found, name, line] = match
    const file = `${name as 'contract' | Side}.ts` as const
    parts.push(rest.slice(0, match.index), { file, line: Number(line), text: found })
    rest = rest.slice(match.index + found.length)
  }
}
