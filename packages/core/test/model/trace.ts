import type { Model } from './search.js'

/** A way through a model, as it is read: its steps by name, and what each of them did. */
export interface Trace<State> {
  readonly last: State
  /** Numbered steps, each with its notes below it. */
  readonly text: string
}

/**
 * Takes the steps that are named, one after another, from the initial state.
 *
 * @throws {Error} where a step can't be taken, with those that can.
 */
export function replay<State>(model: Model<State>, names: readonly string[]): Trace<State> {
  const state = model.initial()
  const lines: string[] = []
  for (const [index, name] of names.entries()) {
    const steps = model.steps(state)
    const step = steps.find((candidate) => candidate.name === name)
    if (!step) {
      const possible = steps.map((candidate) => `\n  ${candidate.name}`).join('')
      throw new Error(`Step ${index + 1}, "${name}", is not possible. These are:${possible}`)
    }
    lines.push(`${String(index + 1).padStart(3)}. ${step.fault ? 'FAULT ' : ''}${name}`)
    step.apply(state, (text) => lines.push(`       ${text}`))
  }
  return { last: state, text: lines.join('\n') }
}
