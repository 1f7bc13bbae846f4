/** @returns a duration for messages: `30 s`, `1.5 s`, `150 ms`. Parts of a ms count as a whole one. */
export function formatMs(ms: number): string {
  return ms >= 1_000 && ms % 100 === 0 ? `${ms / 1_000} s` : `${Math.ceil(ms)} ms`
}

/** @returns the time since an event for messages: in whole seconds or, below that, in ms. */
export function formatAgo(ms: number): string {
  return `${formatMs(ms < 1_000 ? ms : Math.round(ms / 1_000) * 1_000)} ago`
}
