/** What there is to try. */
export type Step = 'change' | 'ask' | 'hash' | 'restart'
