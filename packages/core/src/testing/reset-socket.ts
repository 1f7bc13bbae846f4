import type { Socket } from 'node:net'

/**
 * Closes a socket by a reset. While its end is being sent, it is closed without one: libuv refuses the reset then
 * (`uv_tcp_close_reset`, EINVAL), and Node would never close the socket.
 */
export function resetSocket(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy()
  else socket.resetAndDestroy()
}
