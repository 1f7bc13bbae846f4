/**
 * Lets the process end although a timer is still to fire.
 *
 * @returns false if the platform has no way to do that. In pages, a timer is a number.
 */
export function unref(timer: ReturnType<typeof setTimeout>): boolean {
  if (typeof timer !== 'object' || typeof timer.unref !== 'function') return false
  timer.unref()
  return true
}
