import type { BenchRecord } from './bench-record.js'
import { unplayedMembers } from './unplayed.js'

/**
 * Electron's `dialog`: records what it is asked, and answers as a person who closes each dialog. A
 * test that wants another answer replaces the function, as with real Electron.
 */
export function createDialog(record: BenchRecord): object {
  /** Dialogs may have a parent window first. */
  function ask(method: string, args: readonly unknown[]): Record<string, unknown> {
    const options = (args.length > 1 ? args[1] : args[0]) as Record<string, unknown> | undefined
    record.dialogs.push({ method, options })
    return options ?? {}
  }
  const answer = ({ cancelId, defaultId }: Record<string, unknown>) =>
    Number(cancelId ?? defaultId ?? 0)

  return unplayedMembers('dialog', {
    showMessageBox: async (...args: unknown[]) => ({
      response: answer(ask('showMessageBox', args)),
      checkboxChecked: false,
    }),
    showMessageBoxSync: (...args: unknown[]) => answer(ask('showMessageBoxSync', args)),
    showOpenDialog: async (...args: unknown[]) => {
      ask('showOpenDialog', args)
      return { canceled: true, filePaths: [] }
    },
    showOpenDialogSync: (...args: unknown[]) => void ask('showOpenDialogSync', args),
    showSaveDialog: async (...args: unknown[]) => {
      ask('showSaveDialog', args)
      return { canceled: true, filePath: '' }
    },
    showSaveDialogSync: (...args: unknown[]) => {
      ask('showSaveDialogSync', args)
      return ''
    },
    showErrorBox: (title: string, content: string) => {
      record.dialogs.push({ method: 'showErrorBox', options: { title, content } })
    },
  })
}
