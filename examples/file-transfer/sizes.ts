const UNITS = ['B', 'KiB', 'MiB', 'GiB']

/**
 * @param text such as `64MiB` or `1 GiB`.
 * @returns so many bytes.
 * @throws where it is no size.
 */
export function readSize(text: string): number {
  const [, number, unit = 'B'] = /^(\d+(?:\.\d+)?) ?([KMG]iB|B)?$/.exec(text) ?? []
  if (number === undefined) throw new Error(`"${text}" is no size: write one such as 64MiB`)
  return Math.round(Number(number) * 1024 ** UNITS.indexOf(unit))
}

/** `64.0 MiB`. */
export function formatSize(bytes: number): string {
  const unit = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10))
  return `${(bytes / 1024 ** unit).toFixed(unit === 0 ? 0 : 1)} ${UNITS[unit]}`
}
