import type { Feature, FeatureTable } from './feature.js'

/** Makes the table of a list of features. */
export function tableOf(features: readonly Feature[]): FeatureTable {
  const controls = merged(features, 'controls')
  const callOptions = merged(features, 'callOptions')
  return {
    all: features,
    controls,
    callOptions,
    neededOptions: [...callOptions].flatMap(([name, { neededFor }]) =>
      neededFor ? [{ name, ...neededFor }] : [],
    ),
    extras: merged(features, 'extras'),
    requests: merged(features, 'requests'),
    stream: firstOf(features, 'stream'),
    around: firstOf(features, 'around'),
    deadlines: firstOf(features, 'deadlines'),
    showSigns: firstOf(features, 'showSigns'),
    mounts: firstOf(features, 'mounts'),
    methodsThere: firstOf(features, 'methodsThere'),
    isCounted: (method) => controls.get(method)?.isCounted ?? true,
  }
}

type Tables = 'controls' | 'callOptions' | 'extras' | 'requests'

function merged<K extends Tables>(
  features: readonly Feature[],
  table: K,
): ReadonlyMap<string, NonNullable<Feature[K]>[string]> {
  const all = features.flatMap((feature) => Object.entries(feature[table] ?? {}))
  return new Map(all) as ReadonlyMap<string, NonNullable<Feature[K]>[string]>
}

/** The member of the first feature that has it. */
export function firstOf<K extends keyof Feature>(
  features: readonly Feature[],
  member: K,
): Feature[K] | undefined {
  return features.find((feature) => feature[member])?.[member]
}
