/** What nodes tell each other. Members that a kind does not have are 0, false or empty. */
export interface Message {
  readonly kind:
    | 'hello'
    | 'beat'
    | 'delta'
    | 'snap?'
    | 'snap'
    | 'leave'
    | 'call'
    | 'roll'
    | 'buried'
    | 'pong'
  /** The sender's epoch; of `buried`, the one that was given up. */
  readonly epoch: number
  /** The number of the sender's last change of topics. */
  readonly s: number
  /** Whether the sender has the topic now. */
  readonly on: boolean
  /** Of a call: it goes to one node. Of a leave: the sender has ended. */
  readonly flag: boolean
  /** Of a call: the epoch of the callee that was given up; 0 for none. */
  readonly dead: number
  /** Of a roll: the targets. */
  readonly ids: number[]
}

/** What a node hands to the engine, which handles it in this order. */
export type Order =
  | { readonly do: 'publish'; readonly to: 'all' | 'topic' | 'node'; readonly message: Message }
  | { readonly do: 'subscribe' | 'unsubscribe' | 'ping' | 'end' | 'connect' }

/** How many faults and other events may still come. */
export interface Budget {
  joins: number
  leaves: number
  /** Times that the callee is asked before the call could have reached it by the topic. */
  asks: number
  kills: number
  /** Times that either node loses the engine. */
  cuts: number
  /** Times that a node is without the engine for too long. */
  outages: number
  /** Times that a node is given up that lives, by the other one or by a third. */
  falseDeaths: number
  /** Times that the callee is closed. */
  closes: number
  /** Messages that the engine loses, though nobody loses the engine. */
  losses: number
}

/** The callee, as the caller's directory has it. */
export interface Known {
  isKnown: boolean
  /** Whether it has said who it is. */
  isNamed: boolean
  epoch: number
  step: number
  isInStep: boolean
  hasTopic: boolean
  isLeaving: boolean
  /** The highest epoch that is over; 0 for none. */
  buried: number
  /** Whether it was given up in that epoch, and may not know it. Else it has left, or has begun a new one itself. */
  isGivenUp: boolean
}

/** The callee's part in the gather. */
export interface Part {
  isThere: boolean
  epoch: number
  /** How many targets it has; -1 until it has said so. */
  count: number
  ids: number[]
  open: number[]
}

export type Ending = 'none' | 'ok' | 'maybe'

/** A caller, a callee with up to two members, the engine between them, and one call. */
export interface State {
  readonly caller: {
    isUp: boolean
    epoch: number
    readonly callee: Known
    phase: 'idle' | 'barrier' | 'open' | 'over'
    /** The epoch of the callee that had been given up at the call; 0 for none. */
    dead: number
    /** All that other nodes owe is lost. */
    isLost: boolean
    /** Another node has targets without an outcome, so that the call goes on without the callee. */
    isOtherOpen: boolean
    /** Whether the callee was named as one that can't be asked. */
    isUnreached: boolean
    readonly part: Part
  }
  readonly callee: {
    isAlive: boolean
    isUp: boolean
    /** What it has said after it came (back) was taken by the engine. */
    isAnnounced: boolean
    isLeaving: boolean
    epoch: number
    step: number
    /** Whether the last that it has announced is that it has the topic. */
    hasTopic: boolean
    /** Whether it takes what comes by the topic. */
    isSubscribed: boolean
    /** It has unsubscribed, and what was under way to it may still come. */
    isEnding: boolean
    readonly members: boolean[]
    /** The epoch in which the call has come; 0 if it has not. */
    seenIn: number
    /** Whom it called. */
    ids: number[]
    running: number[]
    /** The caller in its directory. */
    callerEpoch: number
    /** The epoch of the caller that was given up; 0 for none. */
    callerBuried: number
    /** The epoch of the caller that waits for the outcomes. */
    ranFor: number
  }
  readonly engine: {
    callerIsThere: boolean
    calleeIsThere: boolean
    /** Whether the callee is subscribed to the topic. */
    hasTopic: boolean
    fromCaller: Order[]
    fromCallee: Order[]
    toCaller: Message[]
    toCallee: Message[]
  }
  /** The link from callee to caller, which loses nothing as long as it lasts: a roll as -1, or the outcome of a target. */
  link: number[]
  /** What nobody in the system knows. */
  readonly record: {
    /** How often each target ran. */
    readonly ran: number[]
    readonly ended: Ending[]
    unreached: 'none' | 'not-sent' | 'maybe'
    timesUnreached: number
    hasEndedTwice: boolean
    /** A roll or an outcome counted, though its epoch was over. */
    hasHeededOld: boolean
    /** Whether something happened for which a target may end otherwise than with its value. */
    isExcused: boolean
    /** Whether a message was lost of which nobody was told. */
    isInexact: boolean
  }
  readonly budget: Budget
}

/** What one search begins with. */
export interface Beginning {
  /** How many members the callee has. */
  readonly members: number
  /** Whether the caller has targets at another node, too. */
  readonly hasOther: boolean
  /** Whether the nodes know each other. If not, the callee is about to come. */
  readonly haveMet: boolean
}

export function initialState({ members, hasOther, haveMet }: Beginning, budget: Budget): State {
  const has = members > 0
  const step = has ? 1 : 0
  return {
    caller: {
      isUp: true,
      epoch: 1,
      callee: {
        isKnown: haveMet,
        isNamed: haveMet,
        epoch: haveMet ? 1 : 0,
        step: haveMet ? step : 0,
        isInStep: haveMet,
        hasTopic: haveMet && has,
        isLeaving: false,
        buried: 0,
        isGivenUp: false,
      },
      phase: 'idle',
      dead: 0,
      isLost: false,
      isOtherOpen: hasOther,
      isUnreached: false,
      part: { isThere: false, epoch: 0, count: -1, ids: [], open: [] },
    },
    callee: {
      isAlive: true,
      isUp: haveMet,
      isAnnounced: haveMet,
      isLeaving: false,
      epoch: 1,
      step,
      hasTopic: has,
      isSubscribed: has,
      isEnding: false,
      members: [members > 0, members > 1],
      seenIn: 0,
      ids: [],
      running: [],
      callerEpoch: 1,
      callerBuried: 0,
      ranFor: 0,
    },
    engine: {
      callerIsThere: true,
      calleeIsThere: haveMet,
      hasTopic: haveMet && has,
      fromCaller: [],
      fromCallee: [],
      toCaller: [],
      toCallee: [],
    },
    link: [],
    record: {
      ran: [0, 0],
      ended: ['none', 'none'],
      unreached: 'none',
      timesUnreached: 0,
      hasEndedTwice: false,
      hasHeededOld: false,
      isExcused: false,
      isInexact: false,
    },
    budget: { ...budget },
  }
}

export function message(kind: Message['kind'], parts: Partial<Omit<Message, 'kind'>>): Message {
  return { kind, epoch: 0, s: 0, on: false, flag: false, dead: 0, ids: [], ...parts }
}
