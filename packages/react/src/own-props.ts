import { assertOptions } from '@flashrpc/core/internal'

/** The props that React, or a tool that annotates elements at build time, may give to any component. */
const FOREIGN = /^(data-.*|aria-.*|children|key|ref)$/

/**
 * The props of a component that renders no element of its own, without those that any component may be given:
 * `data-*`, `aria-*`, `children`, `key` and `ref`.
 *
 * @param known its props: see `assertOptions`.
 * @throws {RpcConfigError} if one of the rest is unknown or of the wrong kind.
 */
export function ownProps<Props extends object>(
  component: string,
  props: Props,
  known: object,
): Props {
  const own = Object.fromEntries(Object.entries(props).filter(([name]) => !FOREIGN.test(name)))
  assertOptions(component, own, known)
  return own as Props
}
