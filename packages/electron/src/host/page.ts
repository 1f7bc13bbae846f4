import type { IpcMainEvent, WebContents, WebFrameMain } from 'electron'

/** A frame as it was when it handed its port over: Electron's own may not be read once it is gone. */
export interface ElectronFrame {
  /** The address of its document. */
  readonly url: string
  /** Its origin, serialised: `app://demo`, `file://`, or `null` if it is opaque. */
  readonly origin: string
  /** Whether it is the window's own page, and no frame in one. */
  readonly isMainFrame: boolean
  /** The id of the process that shows it. */
  readonly processId: number
  /** The id of the frame within its process. */
  readonly routingId: number
  /** The same for all pages that are shown in this frame, one after another. */
  readonly frameTreeNodeId: number
}

/** A page that connects: which frame, in which window. */
export interface ElectronPage {
  /** The window. */
  readonly webContents: WebContents
  /** `webContents.id`, which may not be read once the window is gone. */
  readonly webContentsId: number
  /** The frame. */
  readonly frame: ElectronFrame
}

/**
 * @returns the page that sent a message; undefined if its frame is gone already. It must be called at once, as
 *   Electron forgets the frame later.
 */
export function senderOf({ sender, senderFrame }: IpcMainEvent): ElectronPage | undefined {
  try {
    if (senderFrame === null) return undefined
    return { webContents: sender, webContentsId: sender.id, frame: describe(senderFrame) }
  } catch {
    // Reading what has been disposed of throws.
    return undefined
  }
}

function describe(frame: WebFrameMain): ElectronFrame {
  const { url, origin, processId, routingId, frameTreeNodeId, parent } = frame
  return { url, origin, isMainFrame: parent === null, processId, routingId, frameTreeNodeId }
}
