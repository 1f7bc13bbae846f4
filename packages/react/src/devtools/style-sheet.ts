/** Declarations that hide a text from the eye, and not from a screen reader. */
export const UNSEEN =
  'position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;'

/**
 * Has the shadow root of an element use a style sheet. It is constructed, which a Content-Security-Policy does not
 * forbid; an element that is in no shadow root is left as it is.
 *
 * @param sheet makes the style sheet; called once for each shadow root that lacks it.
 */
export function adoptSheet(element: Element | null, sheet: () => CSSStyleSheet): void {
  const root = element?.getRootNode()
  if (!(root instanceof ShadowRoot) || root.adoptedStyleSheets.includes(sheet())) return
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet()]
}

/** @returns makes the style sheet when it is first asked for: a program that renders on a server has none. */
export function styleSheet(css: string): () => CSSStyleSheet {
  let sheet: CSSStyleSheet | undefined
  return () => {
    if (!sheet) {
      sheet = new CSSStyleSheet()
      sheet.replaceSync(css)
    }
    return sheet
  }
}
