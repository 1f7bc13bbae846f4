/** How long a browser may take to begin, in ms. */
const PATIENCE_MS = 40_000

/** Hands a file to the person, as the browser's downloads are. */
export function saveFile(parts: BlobPart[], name: string): void {
  const url = URL.createObjectURL(new Blob(parts))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // Browsers do not say when they have it.
  setTimeout(() => URL.revokeObjectURL(url), PATIENCE_MS)
}
