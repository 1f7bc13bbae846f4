import type { DevtoolsSession } from '../browser/devtools-connection.js'
import type { SchemeUrls } from '../browser/scheme-urls.js'
import type { FromWorld } from '../page/messages.js'
import { ISOLATED_WORLD, UP } from '../page/page-script.js'
import { DocumentLink } from './document-link.js'
import { evaluateIn, WebFrameMain } from './web-frame-main.js'

/** The functions of a window that its frames use. */
export interface FrameTreeOwner {
  readonly urls: SchemeUrls
  /** The scripts of the next documents, in the order in which they run. */
  scripts(): { readonly source: string; readonly worldName?: string }[]
  /** A document said something; it is the current one of its frame. */
  onMessage(frame: WebFrameMain, message: FromWorld): void
  /** The window has another document; the one before is gone. */
  onDocument(frame: WebFrameMain): void
}

interface World {
  readonly frameId: string
  readonly origin: string
  readonly contextId: string
}

interface FrameNode {
  readonly id: string
  readonly frameTreeNodeId: number
  readonly parentId: string | undefined
  session: DevtoolsSession
  document: WebFrameMain | undefined
  /** The page's own world in the current document. */
  pageContextId: string | undefined
}

let lastFrameTreeNodeId = 0
let lastProcessId = 0

/**
 * The frames of one window, each with its current document, as the DevTools protocol tells of them:
 * one session for the window's own process, and one for each frame that has another.
 */
export class FrameTree {
  readonly #owner: FrameTreeOwner
  readonly #nodes = new Map<string, FrameNode>()
  readonly #sessions = new Map<DevtoolsSession, { scripts: string[]; processId: number }>()
  #setups: Promise<unknown> = Promise.resolve()

  constructor(owner: FrameTreeOwner) {
    this.#owner = owner
  }

  has(frameId: string): boolean {
    return this.#nodes.has(frameId)
  }

  documentOf(frameId: string): WebFrameMain | null {
    return this.#nodes.get(frameId)?.document ?? null
  }

  /** Resolves once all frames that are there have their scripts. */
  get settled(): Promise<unknown> {
    return this.#setups
  }

  /**
   * Takes a process's session of this window. All that it takes is said at once, so that a target
   * that waits for it has its scripts before its first own one.
   *
   * @param immediate - The target's document is already there: run the scripts in it.
   */
  add(session: DevtoolsSession, frameId: string, immediate: boolean): Promise<void> {
    const known = { scripts: [] as string[], processId: ++lastProcessId }
    this.#sessions.set(session, known)
    this.#node(frameId, session).session = session
    this.#listen(session)
    const steps = [
      session.send('Page.enable'),
      session.send('Runtime.enable'),
      session.send('Page.setLifecycleEventsEnabled', { enabled: true }),
      session.send('Runtime.addBinding', { name: UP, executionContextName: ISOLATED_WORLD }),
      ...this.#addScripts(session, immediate),
      session.send('Target.setAutoAttach', {
        autoAttach: true,
        waitForDebuggerOnStart: true,
        flatten: true,
      }),
    ]
    const done = Promise.all(steps).then(() => {})
    const before = this.#setups
    this.#setups = Promise.allSettled([before, done])
    return done
  }

  /** Preloads changed: the next documents get the new ones. */
  async refresh(): Promise<void> {
    const steps: Promise<unknown>[] = []
    for (const [session, known] of this.#sessions) {
      for (const identifier of known.scripts.splice(0)) {
        steps.push(session.send('Page.removeScriptToEvaluateOnNewDocument', { identifier }))
      }
      steps.push(...this.#addScripts(session, false))
    }
    await Promise.allSettled(steps)
  }

  /** Everything is gone: the window was closed, or its process crashed. */
  dispose(): void {
    for (const node of this.#nodes.values()) this.#end(node)
  }

  /** A document for a frame that has none in Chromium yet. */
  place(frameId: string, session: DevtoolsSession, document: WebFrameMain): void {
    this.#node(frameId, session).document = document
  }

  #addScripts(session: DevtoolsSession, runImmediately: boolean): Promise<unknown>[] {
    return this.#owner.scripts().map(async (script) => {
      const { identifier } = await session.send('Page.addScriptToEvaluateOnNewDocument', {
        ...script,
        runImmediately,
      })
      this.#sessions.get(session)?.scripts.push(identifier)
    })
  }

  #node(id: string, session: DevtoolsSession, parentId?: string): FrameNode {
    const known = this.#nodes.get(id)
    if (known) return known
    const node: FrameNode = {
      id,
      frameTreeNodeId: ++lastFrameTreeNodeId,
      parentId,
      session,
      document: undefined,
      pageContextId: undefined,
    }
    this.#nodes.set(id, node)
    return node
  }

  #listen(session: DevtoolsSession): void {
    const worlds = new Map<number, World>()
    const { urls } = this.#owner

    session.on('Page.frameAttached', ({ frameId, parentFrameId }) => {
      this.#node(frameId, session, parentFrameId)
    })
    session.on('Page.frameDetached', ({ frameId, reason }) => {
      const node = this.#nodes.get(frameId)
      if (!node || (reason === 'swap' && node.session !== session)) return
      this.#end(node)
      if (reason !== 'swap') this.#nodes.delete(frameId)
    })
    session.on('Page.frameNavigated', ({ frame }) => {
      const node = this.#node(frame.id, session, frame.parentId)
      node.session = session
      const url = urls.toElectron(frame.url + (frame.urlFragment ?? ''))
      // The first empty page of a window that a page opened commits in the world that it has.
      const known = node.document && !node.document.detached && openedBy(node.document)
      if (
        node.document &&
        known &&
        [...worlds.values()].some((world) => world.contextId === known)
      ) {
        WebFrameMain.move(node.document, url)
      } else this.#replace(node, url, originOf(urls, frame.securityOrigin))
    })
    session.on('Page.navigatedWithinDocument', ({ frameId, url }) => {
      const document = this.#nodes.get(frameId)?.document
      if (document) WebFrameMain.move(document, urls.toElectron(url))
    })
    session.on('Runtime.executionContextCreated', ({ context }) => {
      const { frameId, isDefault } = (context.auxData ?? {}) as {
        frameId?: string
        isDefault?: boolean
      }
      if (frameId === undefined) return
      const node = this.#nodes.get(frameId)
      if (isDefault && node) node.pageContextId = context.uniqueId
      if (context.name !== ISOLATED_WORLD) return
      worlds.set(context.id, { frameId, origin: context.origin, contextId: context.uniqueId })
    })
    session.on('Runtime.executionContextDestroyed', ({ executionContextId }) => {
      const world = worlds.get(executionContextId)
      worlds.delete(executionContextId)
      const node = world && this.#nodes.get(world.frameId)
      if (node?.document && openedBy(node.document) === world?.contextId) this.#end(node)
    })
    session.on('Runtime.executionContextsCleared', () => {
      worlds.clear()
      for (const node of this.#nodes.values()) if (node.session === session) this.#end(node)
    })
    session.on('Runtime.bindingCalled', ({ name, payload, executionContextId }) => {
      const world = name === UP ? worlds.get(executionContextId) : undefined
      if (world) this.#hear(session, world, DocumentLink.read(payload))
    })
    session.on('Target.attachedToTarget', ({ sessionId, targetInfo, waitingForDebugger }) => {
      const child = session.connection.session(sessionId)
      if (targetInfo.type === 'iframe') {
        this.add(child, targetInfo.targetId, !waitingForDebugger).catch(() => {})
      }
      child.tell('Runtime.runIfWaitingForDebugger')
    })
    session.on('Target.detachedFromTarget', ({ sessionId }) => {
      const child = session.connection.session(sessionId)
      for (const node of this.#nodes.values()) if (node.session === child) this.#end(node)
      this.#sessions.delete(child)
      session.connection.end(sessionId)
    })
  }

  #hear(session: DevtoolsSession, world: World, message: FromWorld): void {
    const node = this.#node(world.frameId, session)
    if (message.type === 'document') {
      const { urls } = this.#owner
      const url = urls.toElectron(message.url)
      const origin = originOf(urls, world.origin)
      const known = node.session === session ? node.document : undefined
      node.session = session
      const isNew = known && !known.detached && openedBy(known) === undefined
      const document = isNew ? known : this.#replace(node, url, origin)
      WebFrameMain.move(document, url, origin)
      opened.set(document, world.contextId)
      WebFrameMain.linkOf(document).open(session, world.contextId)
    } else if (node.document && openedBy(node.document) === world.contextId) {
      this.#owner.onMessage(node.document, message)
    }
  }

  /** Gives the frame a new document; the one before is gone. */
  #replace(node: FrameNode, url: string, origin: string): WebFrameMain {
    this.#end(node)
    const place = {
      frameTreeNodeId: node.frameTreeNodeId,
      processId: this.#sessions.get(node.session)?.processId ?? 0,
      parent: () => (node.parentId === undefined ? null : this.documentOf(node.parentId)),
      children: () => this.#childrenOf(node),
      evaluate: (code: string, userGesture: boolean) => {
        if (node.pageContextId === undefined) throw new Error('The document does not exist yet')
        return evaluateIn(node.session, node.pageContextId, code, userGesture)
      },
    }
    const document = new WebFrameMain(place, url, origin)
    node.document = document
    if (node.parentId === undefined) this.#owner.onDocument(document)
    return document
  }

  #childrenOf(node: FrameNode): WebFrameMain[] {
    return [...this.#nodes.values()].flatMap((each) =>
      each.parentId === node.id && each.document && !each.document.detached ? [each.document] : [],
    )
  }

  /** The frame's document is gone, and so are those of the frames in it. */
  #end(node: FrameNode): void {
    for (const each of this.#nodes.values()) if (each.parentId === node.id) this.#end(each)
    if (node.document) WebFrameMain.dispose(node.document)
  }
}

/** In which isolated world each document was opened. */
const opened = new WeakMap<WebFrameMain, string>()

function openedBy(document: WebFrameMain): string | undefined {
  return opened.get(document)
}

/** Chromium's word for an opaque origin is `://`; in Electron it is `null`. */
function originOf(urls: SchemeUrls, origin: string): string {
  return origin === '://' || origin === '' ? 'null' : urls.toElectron(origin)
}
