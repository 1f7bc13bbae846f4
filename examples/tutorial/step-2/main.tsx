import { createRoot } from 'react-dom/client'
import { RpcProvider } from './hooks.ts'
import { Status } from './status.tsx'

function App() {
  return (
    <RpcProvider url="ws://127.0.0.1:8000/ws">
      <Status />
    </RpcProvider>
  )
}

const root = document.querySelector('#root')
if (root) createRoot(root).render(<App />)
