const { contextBridge, ipcRenderer } = require('electron')

contextBridge.exposeInMainWorld('notes', { remove: () => ipcRenderer.invoke('notes:remove') })
