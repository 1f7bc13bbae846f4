import { message, type Order, type State } from './gather-state.js'

/** What the engine does: it takes what each node hands to it, in order, and has messages for each. */

export function takeFromCaller({ engine }: State): void {
  const order = engine.fromCaller.shift() as Order
  if (order.do === 'connect') engine.callerIsThere = true
  if (order.do === 'ping') engine.toCaller.push(message('pong', {}))
  if (order.do !== 'publish' || !engine.calleeIsThere) return
  if (order.to !== 'topic' || engine.hasTopic) engine.toCallee.push(order.message)
}

export function takeFromCallee({ engine }: State): void {
  const order = engine.fromCallee.shift() as Order
  switch (order.do) {
    case 'connect':
      engine.calleeIsThere = true
      return
    case 'end':
      engine.calleeIsThere = false
      engine.hasTopic = false
      engine.toCallee = []
      return
    case 'subscribe':
      engine.hasTopic = true
      return
    case 'unsubscribe':
      engine.hasTopic = false
      return
    case 'ping':
      engine.toCallee.push(message('pong', {}))
      return
    case 'publish':
      if (engine.callerIsThere) engine.toCaller.push(order.message)
  }
}

/** The callee's connection is lost, with all that is under way. */
export function disconnectCallee({ engine }: State): void {
  engine.calleeIsThere = false
  engine.hasTopic = false
  engine.fromCallee = []
  engine.toCallee = []
}

/** The caller's connection is lost, with all that is under way. */
export function disconnectCaller({ engine }: State): void {
  engine.callerIsThere = false
  engine.fromCaller = []
  engine.toCaller = []
}
