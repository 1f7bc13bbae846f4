import { useRpcMethod } from '@flashrpc/react'
import { useEffect, useState } from 'react'
import type { Tally } from '../../contract.js'
import { Toast } from './toast.js'

/** How long it is shown after the last answer, in ms. */
const SHOWN_MS = 8_000

/** Says how a question stands that all windows were asked, from the first answer on. */
export function TallyToast() {
  const [tally, setTally] = useState<(Tally & { text: string }) | null>(null)
  useRpcMethod('tally', setTally)
  const waiting = tally ? tally.pages - tally.yes - tally.no - tally.none : 0
  const isOver = tally !== null && waiting === 0
  useEffect(() => {
    if (!isOver) return
    const timer = setTimeout(() => setTally(null), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [isOver])
  if (!tally) return null
  const { text, yes, no, none } = tally
  const counted = [`${yes} yes`, `${no} no`]
  if (none > 0) counted.push(`${none} without an answer`)
  if (waiting > 0) counted.push(`${waiting} still to answer`)
  return <Toast icon={isOver ? 'check' : 'question'} title={text} text={counted.join(', ')} />
}
