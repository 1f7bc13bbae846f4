import { RpcDevtools } from '@flashrpc/react/devtools'
import type { ReactNode } from 'react'
import { Providers } from './providers'

export const metadata = { title: 'flashrpc in Next' }

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <Providers>
          {children}
          <RpcDevtools />
        </Providers>
      </body>
    </html>
  )
}
