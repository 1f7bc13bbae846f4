const BROWSERS: readonly [RegExp, string][] = [
  [/Edg\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/Firefox\/|FxiOS\//, 'Firefox'],
  [/Chrome\/|CriOS\//, 'Chrome'],
  [/Safari\//, 'Safari'],
]

const SYSTEMS: readonly [RegExp, string][] = [
  [/iPhone|iPad/, 'iOS'],
  [/Android/, 'Android'],
  [/Mac OS X/, 'macOS'],
  [/Windows/, 'Windows'],
  [/CrOS/, 'ChromeOS'],
  [/Linux/, 'Linux'],
]

/** A browser as a person would call it, such as `Chrome on Linux`. */
export function describeBrowser(userAgent: string): string {
  const browser = find(BROWSERS, userAgent) ?? 'a browser'
  return [browser, describeSystem(userAgent)].filter(Boolean).join(' on ')
}

/** The system a browser runs on, such as `Linux`; undefined where it does not say. */
export function describeSystem(userAgent: string): string | undefined {
  return find(SYSTEMS, userAgent)
}

function find(table: readonly [RegExp, string][], userAgent: string): string | undefined {
  return table.find(([pattern]) => pattern.test(userAgent))?.[1]
}
