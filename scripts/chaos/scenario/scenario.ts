import type { Outcome } from '../report.ts'

/** What every scenario is told. */
export interface ScenarioOptions {
  readonly seed: number
  /** Calls, each way. */
  readonly calls: number
  /** Faults, or kills, or restarts, as the scenario has it. */
  readonly cuts: number
  readonly level: 0 | 1
  /** Where ledgers are kept; it is thrown away. */
  readonly folder: string
  /** Tells a person how far it has come. */
  readonly progress: (text: string) => void
}

export type Scenario = (options: ScenarioOptions) => Promise<Outcome>
