import type { Page } from 'playwright-core'

/** Drops files on a page, as a person would. */
export async function dropFiles(
  page: Page,
  files: Readonly<Record<string, Buffer | string>>,
): Promise<void> {
  const encoded = Object.entries(files).map(([name, content]) => ({
    name,
    base64: Buffer.from(content).toString('base64'),
  }))
  const dataTransfer = await page.evaluateHandle((all) => {
    const { DataTransfer } = globalThis as unknown as {
      DataTransfer: new () => { items: { add(file: File): void } }
    }
    const held = new DataTransfer()
    for (const { name, base64 } of all) {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
      held.items.add(new File([bytes], name))
    }
    return held
  }, encoded)
  await page.dispatchEvent('body', 'dragover', { dataTransfer })
  await page.locator('[data-over=true]').waitFor()
  await page.dispatchEvent('body', 'drop', { dataTransfer })
  await page.locator('[data-over=false]').waitFor()
}
