const OPTION = '--folder='

/** What tells the app which folder to watch, on its command line. */
export function folderOption(folder: string): string {
  return `${OPTION}${folder}`
}

/**
 * The folder that a command line names, or undefined. An option, not a bare word: Chromium's own
 * options may stand anywhere, and Electron's first word is the app.
 */
export function wantedFolder(args: readonly string[]): string | undefined {
  const found = args.findLast((argument) => argument.startsWith(OPTION))
  return found?.slice(OPTION.length) || undefined
}
