/**
 * The state of the model: a client, a server with its sessions, and the connections between them. All
 * of it is plain data, in which every member is always there. "Ghost" marks what no real side knows:
 * it is there for the properties.
 */

/** How a call ended for its caller; `caller-died`: with the process that made it. */
export type Ending = 'value' | 'not-sent' | 'not-received' | 'maybe-executed' | 'caller-died'

/** A call, seen from above: its caller's view, and what became of it on the other side. */
export interface Call {
  phase: 'unmade' | 'unsent' | 'written' | Ending
  /** The number of its frame, once written. */
  number: number
  /** Its id on the wire. The client counts its calls; a server, those of each session anew. */
  id: number
  /** Server's calls: the session it was made on. */
  sid: number
  /** Ghost: how often its handler was started. */
  starts: number
  /** Ghost: its caller gave it up, or made it on a session that its client never learned of. */
  excused: boolean
}

/** A counted frame. */
export interface Data {
  readonly kind: 'call' | 'answer' | 'cancel'
  /** The id of a call, of the sender's for `call` and `cancel`, of the receiver's for `answer`. */
  readonly call: number
  /** Ghost: the number its sender gave it. On the wire it has none, its position says it. */
  number: number
  /** Ghost: the session it was written in. */
  sid: number
}

/** An uncounted message of the protocol's own, or the end of a connection. */
export type Control =
  | { readonly kind: 'hello'; readonly attempt: number; readonly resume: Resume | null }
  | {
      readonly kind: 'result'
      readonly sid: number
      readonly token: number
      readonly resumed: boolean
      /** What the server has dispatched; 0 in a new session. */
      readonly recv: number
      /** Of the session that could not be resumed, where that is known. */
      readonly lastRecv: number | null
    }
  | { readonly kind: 'ack'; readonly recv: number }
  | { readonly kind: 'bye'; readonly recv: number }
  | { readonly kind: 'close'; readonly code: number }

export interface Resume {
  readonly sid: number
  readonly token: number
  readonly recv: number
}

export type Message = Data | Control

/**
 * A connection, numbered by the client's attempt. A message is in its queue until it is handled: on
 * the way, or delivered already and waiting for its turn, even when its connection has ended since.
 */
export interface Connection {
  readonly id: number
  /** client → server */
  up: Message[]
  /** server → client */
  down: Message[]
  /** Not cut: what is written arrives some time. */
  open: boolean
  /** The client's process has its end of it. */
  client: boolean
  /** The server's process has its end of it. */
  server: boolean
  /** Server: the session it was attached to, at first; 0 before the hello. */
  sid: number
}

/** One side's view of one session: numbers given and taken, and what may have to be sent again. */
export interface Numbering {
  /** The number of the last frame that was written, for the first time. */
  sent: number
  /** The other side has dispatched all up to this one. */
  trimmed: number
  /** The frames from `trimmed + 1` to `sent`. */
  kept: Data[]
  /** How many frames of the other side were handed to the dispatcher. */
  recv: number
  /** The last `recv` that the other side was told. */
  acked: number
}

export interface ClientSession extends Numbering {
  readonly sid: number
  token: number
}

export interface Client {
  /** `failed`: it was told 4409 or broke off with 4400, and stopped. */
  phase: 'running' | 'closed' | 'failed'
  /** Counts connections. */
  attempt: number
  /** The connection it listens to; 0: none. */
  connection: number
  /** The result has come. */
  ready: boolean
  /** The server said bye: no further call goes to it, and the session is not resumed. */
  leaving: boolean
  session: ClientSession | null
  /** Said and never written, in order. */
  outbox: Data[]
  /** Ids of the server's calls that run here. */
  running: number[]
  /** Automatic resends that may still be spent. */
  resends: number
}

export interface ServerSession extends Numbering {
  readonly sid: number
  token: number
  /** Of the connection that was attached last. */
  attempt: number
  /** The connection it is attached to; 0: detached. */
  connection: number
  /** Said bye: calls that arrive from now on are counted, and not run. */
  fenced: boolean
  outbox: Data[]
  /** Ids of the client's calls that run here. */
  running: number[]
}

/** What is left of a session. */
export interface Tombstone {
  readonly sid: number
  readonly token: number
  readonly lastRecv: number
}

export interface Server {
  /** It takes no connections any more and will exit. */
  draining: boolean
  sessions: ServerSession[]
  tombstones: Tombstone[]
  /** Ids and tokens are never used twice. */
  sessionsMade: number
}

/** What may still go wrong, or be asked for. */
export interface Budget {
  /** A connection breaks. */
  cuts: number
  /** A side takes a living connection for dead. */
  falseDeaths: number
  /** A detached session ends that its client would have resumed. */
  expiries: number
  /** The server's process is killed, and starts anew. */
  restarts: number
  /** The server drains, exits, and starts anew. */
  drains: number
  /** The client closes. */
  closes: number
  /** The client gives a call up. */
  cancels: number
  /** Another one that holds the token, a second tab, takes the session, and goes. */
  twins: number
}

/** Ghost: what must never be, and has been. */
export interface Record {
  /** A session ended for a cause that ends sessions. */
  excused: boolean
  /** A frame was handled from a connection that is not its session's. */
  fencePassed: boolean
  /** A frame was dispatched out of its position, or in a session that is not its own. */
  misplaced: boolean
  /** A call was ended that had ended. */
  endedTwice: boolean
  /** A call was sent again that had been started. */
  resentStarted: boolean
  /** A side was told of a number that the other never had. */
  outOfRange: boolean
}

export interface State {
  client: Client
  server: Server
  connections: Connection[]
  /** Made by the client, in this order. */
  calls: Call[]
  /** Made by the server. */
  serverCalls: Call[]
  /** Ghost: which calls of the client were started, in order. */
  started: number[]
  /** Ghost: the same of the server's calls. */
  serverStarted: number[]
  budget: Budget
  record: Record
}

export function newCall(_: unknown, id: number): Call {
  return { phase: 'unmade', number: 0, id, sid: 0, starts: 0, excused: false }
}

export function newData(kind: Data['kind'], call: number): Data {
  return { kind, call, number: 0, sid: 0 }
}

/** The server's call that has this id in this session, if it is one. */
export function serverCallOf({ serverCalls }: State, sid: number, id: number): Call | undefined {
  return serverCalls.find((call) => call.sid === sid && call.id === id)
}

export function newNumbering(): Numbering {
  return { sent: 0, trimmed: 0, kept: [], recv: 0, acked: 0 }
}

export function isData(message: Message): message is Data {
  return message.kind === 'call' || message.kind === 'answer' || message.kind === 'cancel'
}

export function hasEnded({ phase }: Call): boolean {
  return phase !== 'unmade' && phase !== 'unsent' && phase !== 'written'
}

/** A message as a trace shows it. */
export function describe(message: Message): string {
  switch (message.kind) {
    case 'hello': {
      const { attempt, resume } = message
      return resume
        ? `hello {attempt ${attempt}, resume ${resume.sid}, recv ${resume.recv}}`
        : `hello {attempt ${attempt}}`
    }
    case 'result': {
      const { sid, resumed, recv, lastRecv } = message
      if (resumed) return `result {resumed ${sid}, recv ${recv}}`
      return lastRecv === null ? `result {new ${sid}}` : `result {new ${sid}, lastRecv ${lastRecv}}`
    }
    case 'ack':
    case 'bye':
      return `${message.kind} {recv ${message.recv}}`
    case 'close':
      return `close ${message.code}`
    default:
      return `${message.kind} ${message.call}`
  }
}
