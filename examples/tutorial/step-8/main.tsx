import { useState } from 'react'
import { createRoot } from 'react-dom/client'
import { Clear } from './clear.tsx'
import { Clock } from './clock.tsx'
import { Compose } from './compose.tsx'
import { RpcProvider } from './hooks.ts'
import { Login } from './login.tsx'
import { Question } from './question.tsx'
import { Status } from './status.tsx'
import { Toasts } from './toasts.tsx'

function App() {
  const [token, setToken] = useState('')
  if (token === '') return <Login onToken={setToken} />
  const url = `ws://127.0.0.1:8000/ws?token=${encodeURIComponent(token)}`
  return (
    <RpcProvider url={url} retry={{ maxDelayMs: 2_000 }}>
      <Status />
      <Clock />
      <Clear />
      <Compose />
      <Question />
      <Toasts />
    </RpcProvider>
  )
}

const root = document.querySelector('#root')
if (root) createRoot(root).render(<App />)
