/** Names of folders and files that hold what tools made: nobody wants to hear of them. */
const NAMES = new Set([
  '.DS_Store',
  '.cache',
  '.git',
  '.next',
  '.nuxt',
  '.parcel-cache',
  '.pnpm-store',
  '.svelte-kit',
  '.turbo',
  '.venv',
  '.vite',
  '__pycache__',
  'build',
  'coverage',
  'dist',
  'node_modules',
  'out',
  'target',
])

/** Build state, and what editors write beside a file while it is edited. */
const ENDINGS = ['.tsbuildinfo', '.swp', '.swx', '~']

/** Whether a file or folder of this name is left out, with everything in it. */
export function isIgnoredName(name: string): boolean {
  return NAMES.has(name) || ENDINGS.some((ending) => name.endsWith(ending))
}
