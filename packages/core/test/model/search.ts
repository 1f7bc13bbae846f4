import { fingerprint } from './fingerprint.js'

/**
 * An explicit-state model checker: every state that a model can reach, breadth first, so that the
 * first violation found is one of the shortest.
 */

/** Something that can happen in a state, in one go. */
export interface Step<State> {
  /** Unique among the steps of one state: a trace is replayed by these names. */
  readonly name: string
  /** Whether the system would get along without it: nothing is owed to anyone once faults stop. */
  readonly fault: boolean
  /** Changes the state it is given. `note` is told what a reader of the trace would want to know. */
  apply(state: State, note: Note): void
}

export type Note = (text: string) => void

/** What must hold. */
export interface Property<State> {
  readonly name: string
  /** In each state, or only in those where nothing but a fault can happen any more. */
  readonly when: 'always' | 'at rest'
  holds(state: State): boolean
}

/** A system: plain data, and what can happen to it. Objects never gain or lose members. */
export interface Model<State> {
  initial(): State
  steps(state: State): readonly Step<State>[]
}

export interface SearchOptions {
  /** Stop after that many states. Default: only when all are seen. */
  readonly maxStates?: number
}

export interface SearchResult {
  /** Different states seen. */
  readonly states: number
  /** Steps taken, to new states and old ones. */
  readonly transitions: number
  /** Length of the longest of the shortest ways to a state. */
  readonly depth: number
  /** States in which only a fault can happen. */
  readonly resting: number
  /** Whether all states were seen. */
  readonly complete: boolean
  readonly violation: Violation | undefined
}

export interface Violation {
  /** The name of the property, or {@link ENDLESS}. */
  readonly property: string
  /** The names of the steps that lead there. */
  readonly steps: readonly string[]
}

/** The property that without faults nothing goes on for ever: no step leads back to where it began. */
export const ENDLESS = 'without faults, everything comes to rest'

/**
 * Searches until a property is violated or there is nothing more to see.
 *
 * Liveness is checked for every schedule, not for a fair one: if the steps that are no faults form no
 * circle, each of their schedules ends, and where it ends the properties `at rest` must hold.
 */
export function search<State>(
  model: Model<State>,
  properties: readonly Property<State>[],
  { maxStates = Number.POSITIVE_INFINITY }: SearchOptions = {},
): SearchResult {
  const always = properties.filter((property) => property.when === 'always')
  const atRest = properties.filter((property) => property.when === 'at rest')
  const numbers = new Map<number, number>()
  const ways = new Ways()
  const calm = new Edges()
  let transitions = 0
  let resting = 0
  let depth = 0
  let level: State[] = [model.initial()]
  let first = 0
  const result = (complete: boolean, property?: string, at = 0): SearchResult => ({
    states: numbers.size,
    transitions,
    depth,
    resting,
    complete,
    violation:
      property === undefined ? undefined : { property, steps: namesOf(model, ways.to(at)) },
  })

  for (const state of level) {
    numbers.set(fingerprint(state), ways.add(-1, -1))
    const broken = always.find((property) => !property.holds(state))
    if (broken) return result(false, broken.name)
  }
  while (level.length > 0) {
    const next: State[] = []
    const nextFirst = numbers.size
    for (const [index, state] of level.entries()) {
      const from = first + index
      let isResting = true
      for (const [choice, step] of model.steps(state).entries()) {
        const after = copy(state)
        step.apply(after, ignore)
        transitions++
        const print = fingerprint(after)
        let to = numbers.get(print)
        if (to === undefined) {
          to = ways.add(from, choice)
          numbers.set(print, to)
          next.push(after)
          const broken = always.find((property) => !property.holds(after))
          if (broken) return result(false, broken.name, to)
        }
        if (step.fault) continue
        isResting = false
        calm.add(from, to)
      }
      if (isResting) {
        resting++
        const broken = atRest.find((property) => !property.holds(state))
        if (broken) return result(false, broken.name, from)
      }
      if (numbers.size >= maxStates) return result(false)
    }
    if (next.length > 0) depth++
    level = next
    first = nextFirst
  }
  const circling = calm.onCircle(numbers.size)
  return circling === undefined ? result(true) : result(false, ENDLESS, circling)
}

/** How each state was first reached: from which, by which of its steps. */
class Ways {
  readonly #from: number[] = []
  readonly #choice: number[] = []

  /** @returns the number of the state. */
  add(from: number, choice: number): number {
    this.#choice.push(choice)
    return this.#from.push(from) - 1
  }

  /** @returns the choices that lead from the first state to this one. */
  to(state: number): number[] {
    const choices: number[] = []
    for (let at = state; at > 0; at = this.#from[at] as number) {
      choices.push(this.#choice[at] as number)
    }
    return choices.reverse()
  }
}

/** Which state follows which. */
class Edges {
  readonly #from: number[] = []
  readonly #to: number[] = []

  add(from: number, to: number): void {
    this.#from.push(from)
    this.#to.push(to)
  }

  /** @returns a state that lies on a circle or after one, or `undefined` where there is no circle. */
  onCircle(states: number): number | undefined {
    // Kahn's algorithm: take away what nothing leads to; what can't be taken away hangs on a circle.
    const incoming = new Int32Array(states)
    const starts = new Int32Array(states + 1)
    for (const to of this.#to) incoming[to] = (incoming[to] as number) + 1
    for (const from of this.#from) starts[from + 1] = (starts[from + 1] as number) + 1
    for (let at = 0; at < states; at++) {
      starts[at + 1] = (starts[at + 1] as number) + (starts[at] as number)
    }
    const targets = new Int32Array(this.#to.length)
    const filled = starts.slice()
    for (const [edge, from] of this.#from.entries()) {
      const place = filled[from] as number
      targets[place] = this.#to[edge] as number
      filled[from] = place + 1
    }
    const free: number[] = []
    for (let at = 0; at < states; at++) if (incoming[at] === 0) free.push(at)
    for (let at = free.pop(); at !== undefined; at = free.pop()) {
      for (let edge = starts[at] as number; edge < (starts[at + 1] as number); edge++) {
        const to = targets[edge] as number
        incoming[to] = (incoming[to] as number) - 1
        if (incoming[to] === 0) free.push(to)
      }
    }
    const left = incoming.findIndex((count) => count > 0)
    return left === -1 ? undefined : left
  }
}

function namesOf<State>(model: Model<State>, choices: readonly number[]): string[] {
  const state = model.initial()
  return choices.map((choice) => {
    const step = model.steps(state)[choice] as Step<State>
    step.apply(state, ignore)
    return step.name
  })
}

/** A deep copy of plain data, many times faster than `structuredClone`. */
function copy<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copy) as Value
  const result = { ...value }
  for (const key in result) {
    const member = result[key]
    if (typeof member === 'object') result[key] = copy(member)
  }
  return result
}

function ignore(): void {}
