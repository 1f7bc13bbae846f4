/** How often it is looked, in ms. */
const EVERY_MS = 50

/** Watches how much memory this process has (its resident set), from now on. */
export function watchMemory(): { readonly growth: number } {
  const begin = process.memoryUsage.rss()
  let peak = begin
  const look = () => {
    peak = Math.max(peak, process.memoryUsage.rss())
  }
  // It ends with the process, and keeps none alive.
  setInterval(look, EVERY_MS).unref()
  return {
    /** How far it was over where it began at the most, in bytes. */
    get growth() {
      look()
      return peak - begin
    },
  }
}
