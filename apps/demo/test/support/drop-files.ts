import type { Page } from 'playwright-core'

/**
 * Drops files on a page, as a person would.
 *
 * @param files by their names: their content, or of how many zeros they are made, for large ones.
 */
export async function dropFiles(
  page: Page,
  files: Readonly<Record<string, Buffer | string | number>>,
): Promise<void> {
  const encoded = Object.entries(files).map(([name, content]) => ({
    name,
    zeros: typeof content === 'number' ? content : 0,
    base64: typeof content === 'number' ? '' : Buffer.from(content).toString('base64'),
  }))
  const dataTransfer = await page.evaluateHandle((all) => {
    const { DataTransfer } = globalThis as unknown as {
      DataTransfer: new () => { items: { add(file: File): void } }
    }
    const held = new DataTransfer()
    for (const { name, zeros, base64 } of all) {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
      held.items.add(new File([bytes, new Uint8Array(zeros)], name))
    }
    return held
  }, encoded)
  await page.dispatchEvent('body', 'dragover', { dataTransfer })
  await page.locator('[data-over=true]').waitFor()
  await page.dispatchEvent('body', 'drop', { dataTransfer })
  await page.locator('[data-over=false]').waitFor()
}
