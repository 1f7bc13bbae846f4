import { pythonDialect } from '@flashrpc/core/python'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { RpcProvider } from './hooks.js'
import { Notifications } from './notifications.js'
import { Question } from './question.js'
import { Releases } from './releases.js'

/** Where server.py listens; `?server=ws://…` names another place. */
const url = new URLSearchParams(location.search).get('server') ?? 'ws://127.0.0.1:8000/ws'
const dialect = pythonDialect()

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root')
createRoot(root).render(
  <StrictMode>
    <RpcProvider url={url} dialect={dialect}>
      <Releases />
      <Question />
      <Notifications />
    </RpcProvider>
  </StrictMode>,
)
