import { connection } from 'next/server'
import type { ReactNode } from 'react'
import { Providers } from './providers.tsx'
import './style.css'

export const metadata = { title: 'My app' }

export default async function Layout({ children }: { children: ReactNode }) {
  // Read for each request, and not when the app is built: one build runs everywhere.
  await connection()
  const url = process.env.RPC_URL ?? `ws://127.0.0.1:${process.env.RPC_PORT ?? 8000}/ws`
  return (
    <html lang="en">
      <body>
        <Providers url={url}>{children}</Providers>
      </body>
    </html>
  )
}
