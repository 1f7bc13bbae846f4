import { createRoot } from 'react-dom/client'
import { Clear } from './clear.tsx'
import { Clock } from './clock.tsx'
import { RpcProvider } from './hooks.ts'
import { Question } from './question.tsx'
import { Status } from './status.tsx'
import { Toasts } from './toasts.tsx'

function App() {
  return (
    <RpcProvider url="ws://127.0.0.1:8000/ws">
      <Status />
      <Clock />
      <Clear />
      <Question />
      <Toasts />
    </RpcProvider>
  )
}

const root = document.querySelector('#root')
if (root) createRoot(root).render(<App />)
