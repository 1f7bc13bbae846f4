import type { Readable, Writable } from 'node:stream'
import { isCancel, select, text } from '@clack/prompts'
import { requireEmpty } from './app-folder.js'
import { TEMPLATE_NAMES, TEMPLATES, type TemplateName } from './templates.js'

/** Where the questions are shown and answered. */
export interface Terminal {
  readonly input: Readable
  readonly output: Writable
}

const DEFAULT_FOLDER = 'my-app'

/** @returns the folder; undefined if the person pressed Ctrl-C or Escape. */
export async function askForFolder(terminal: Terminal): Promise<string | undefined> {
  const answer = await text({
    ...terminal,
    message: 'In which folder?',
    placeholder: DEFAULT_FOLDER,
    defaultValue: DEFAULT_FOLDER,
    validate: (folder) => reasonAgainst(folder || DEFAULT_FOLDER),
  })
  return isCancel(answer) ? undefined : answer
}

/** @returns the template; undefined if the person pressed Ctrl-C or Escape. */
export async function askForTemplate(terminal: Terminal): Promise<TemplateName | undefined> {
  const answer = await select({
    ...terminal,
    message: 'Which template?',
    options: TEMPLATE_NAMES.map((value) => ({ value, hint: TEMPLATES[value] })),
  })
  return isCancel(answer) ? undefined : answer
}

function reasonAgainst(folder: string): string | undefined {
  try {
    requireEmpty(folder)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}
