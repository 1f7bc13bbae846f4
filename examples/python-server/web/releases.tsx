import { type ReactElement, useEffect, useState } from 'react'
import { useRpc, useRpcState } from './hooks.js'

interface Release {
  version: string
  changes: string[]
}

/** What the backend could deploy: models of pydantic, checked by the contract. */
export function Releases(): ReactElement {
  const backend = useRpc()
  const status = useRpcState((state) => state.status)
  const [releases, setReleases] = useState<Release[]>([])
  const [error, setError] = useState('')
  const isConnected = status === 'connected'

  useEffect(() => {
    if (!isConnected) return
    backend.releases().then(setReleases, (thrown: unknown) => setError(String(thrown)))
  }, [backend, isConnected])

  const deploy = (version: string) => {
    setError('')
    backend.deploy({ version }).catch((thrown: unknown) => setError(String(thrown)))
  }
  return (
    <section>
      <h1>Releases</h1>
      <p role="status">{status}</p>
      <ul>
        {releases.map(({ version, changes }) => (
          <li key={version}>
            {version}: {changes.join(', ')}{' '}
            <button type="button" disabled={!isConnected} onClick={() => deploy(version)}>
              Deploy {version}
            </button>
          </li>
        ))}
      </ul>
      {error && <p role="alert">{error}</p>}
    </section>
  )
}
