import { defineContract, method, notification, stream } from '@flashrpc/core'
import { z } from 'zod'

/** The path of the endpoint on the server that also serves the page. */
export const RPC_PATH = '/ws'

const Bytes = z.number().int().nonnegative()
/** Milliseconds since the epoch. */
const Time = z.number()

/** A file of the watched folder; its path is relative to it, with `/` between its parts. */
const File = z.object({ path: z.string(), bytes: Bytes })
export type File = z.infer<typeof File>

const FileHash = z.object({
  path: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: Bytes,
  /** How long the server took over it, in milliseconds. */
  ms: z.number().nonnegative(),
})
export type FileHash = z.infer<typeof FileHash>

/** A change of one file. */
const Change = z.object({
  kind: z.enum(['added', 'changed', 'removed']),
  path: z.string(),
  /** Its size afterwards; null where it is gone. */
  bytes: Bytes.nullable(),
  at: Time,
  /** Changes just before this one of which nobody was told, because there were too many. */
  skipped: z.number().int().nonnegative(),
})
export type Change = z.infer<typeof Change>

/** How busy the server's machine is. */
const Load = z.object({
  /** The share of all processors' time that was worked in, 0 to 1. */
  cpu: z.number().min(0).max(1),
  memory: z.object({ used: Bytes, total: Bytes }),
  at: Time,
})
export type Load = z.infer<typeof Load>

const Reply = z.enum(['yes', 'no'])
export type Reply = z.infer<typeof Reply>

/** What one page made of a question; `none` where it was closed, or failed, before it answered. */
const Answer = z.object({
  /** The page's number on this server, from 1. */
  page: z.number().int(),
  /** What the page calls itself, such as `Chrome on Linux`. */
  name: z.string(),
  reply: Reply.or(z.literal('none')),
})
export type Answer = z.infer<typeof Answer>

const Count = z.number().int().nonnegative()

/** How many pages made what of a question; those of which nothing is counted still think. */
const Tally = z.object({ pages: Count, yes: Count, no: Count, none: Count })
export type Tally = z.infer<typeof Tally>

/** The largest file that can be dropped, and the largest piece of one, in bytes. */
export const MAX_DROPPED_BYTES = 100_000_000
export const CHUNK_BYTES = 256 * 1024

const Chunk = z
  .instanceof(Uint8Array)
  .refine(({ byteLength }) => byteLength <= CHUNK_BYTES, `must be ${CHUNK_BYTES} bytes at the most`)

const DroppedFile = z.object({
  id: z.number().int(),
  /** Shown, and never a path. */
  name: z.string().regex(/^[^\p{Cc}/\\]{1,255}$/u, 'must be a name of 1 to 255 characters'),
  bytes: Bytes.max(MAX_DROPPED_BYTES, `must be ${MAX_DROPPED_BYTES} at the most`),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})
/** A file that was dropped on a page, as the server keeps it. */
export type DroppedFile = z.infer<typeof DroppedFile>

/** A page that is open, and the methods that can be called on it now. */
const Present = z.object({
  page: z.number().int(),
  name: z.string(),
  methods: z.array(z.string()),
})
export type Present = z.infer<typeof Present>

/** The group of the pages that are open. */
export const PAGES = 'pages'
/** What a page is told of another that is open: what it has joined {@link PAGES} with. */
export type PageInfo = Pick<Present, 'page' | 'name'>

const Toast = z.object({ text: z.string().trim().min(1).max(200) })

/** What both programs agree on. A page, in a browser or a window, and `demo:ask` are both clients. */
export const contract = defineContract({
  server: {
    /** A page says that it is one: from then on it is told of changes and load, and asked questions. */
    hello: method({
      params: z.object({
        name: z.string().min(1).max(80),
        /** The number it had before the connection was lost, which it would like to keep. */
        page: z.number().int().min(1).max(9_999).optional(),
      }),
      result: z.object({
        page: z.number().int(),
        folder: z.string(),
        /** The command that asks the open pages a question, where there is one. */
        askCommand: z.string().optional(),
      }),
    }),
    listFiles: method({
      result: z.object({
        files: z.array(File),
        /** Whether there are more files than that. */
        more: z.boolean(),
      }),
    }),
    hashFile: method({ params: z.object({ path: z.string().min(1) }), result: FileHash }),
    /** Asks every open page. Each answer is told by `answered` as it comes; the result counts them. */
    ask: method({
      params: z.object({ text: z.string().trim().min(1).max(500) }),
      result: Tally,
    }),
    /** Who is there, and what is mounted there: as it is, and again whenever it changes. */
    presence: stream({ item: z.array(Present) }),
    /** Asks one page. */
    askPage: method({
      params: z.object({ page: z.number().int(), text: z.string().trim().min(1).max(500) }),
      result: Reply,
    }),
    /** Shows a toast in one page, or in all. */
    toast: method({
      params: Toast.extend({ page: z.number().int().optional() }),
      result: z.object({ told: Count }),
    }),
    /** Takes a file, and keeps it until others need its room. */
    upload: method({
      params: DroppedFile.pick({ name: true, bytes: true }),
      input: Chunk,
      result: DroppedFile,
    }),
    /** Gives a file back that was uploaded. */
    download: stream({ params: DroppedFile.pick({ id: true }), item: Chunk }),
  },
  client: {
    confirm: method({ params: z.object({ text: z.string() }), result: Reply }),
    notify: notification({ params: Change }),
    load: notification({ params: Load }),
    toast: notification({ params: Toast.extend({ at: Time }) }),
    answered: notification({ params: Answer }),
    /** How a question stands that all windows were asked; with each answer anew. */
    tally: notification({ params: Tally.extend({ text: z.string() }) }),
    /** Another folder is watched from now on. */
    watching: notification({ params: z.object({ folder: z.string() }) }),
  },
})
