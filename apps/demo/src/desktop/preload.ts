import '@flashrpc/electron/preload'
