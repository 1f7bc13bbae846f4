import { fileURLToPath } from 'node:url'
import { UsageError } from './usage-error.js'

/** The templates, and what an app of each is. The files of each are in its folder in `templates/`. */
export const TEMPLATES = {
  node: 'a server and a client in Node',
  'react-vite': 'a React page, and its server',
  next: 'a Next app, and its server',
  'electron-vite': 'an Electron app whose windows and main call each other',
  agents: 'an orchestrator, and agents that it calls',
} as const

export type TemplateName = keyof typeof TEMPLATES

export const TEMPLATE_NAMES = Object.keys(TEMPLATES) as readonly TemplateName[]

/**
 * Finds a template by its name.
 *
 * @throws {UsageError} if there is none of this name: it names the templates.
 */
export function templateNamed(name: string): TemplateName {
  const found = TEMPLATE_NAMES.find((known) => known === name)
  if (found) return found
  throw new UsageError(
    `There is no template "${name}". The templates are ${TEMPLATE_NAMES.join(', ')}.`,
  )
}

/** The folder of a template's files. */
export function folderOf(template: TemplateName): string {
  return fileURLToPath(new URL(`../templates/${template}`, import.meta.url))
}
