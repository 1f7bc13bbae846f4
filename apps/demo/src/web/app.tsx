import { useState } from 'react'
import { Avatars } from './components/avatars.js'
import { FileDrop } from './components/file-drop.js'
import { FileHasher } from './components/file-hasher.js'
import { Header } from './components/header.js'
import { LoadChart } from './components/load-chart.js'
import { NotificationFeed } from './components/notification-feed.js'
import { QuestionDesk } from './components/question-desk.js'
import { RecoveryToast } from './components/recovery-toast.js'
import { SocketSwitch } from './components/socket-switch.js'
import { TallyToast } from './components/tally-toast.js'
import { ToastCentre } from './components/toast-centre.js'
import { TryThis } from './components/try-this.js'
import { useHello } from './hooks/use-hello.js'
import type { Step } from './surfaces/step.js'
import { useSurface } from './surfaces/surface.js'

/** The page. Each card is fed by one hook, which its corner names. */
export function App() {
  const { done: doneBefore, headline, tellsPages, wire } = useSurface()
  const welcome = useHello()
  const [done, setDone] = useState<ReadonlySet<Step>>(() => new Set(doneBefore))
  const mark = (step: Step) =>
    setDone((before) => (before.has(step) ? before : new Set(before).add(step)))

  return (
    <>
      <Header welcome={welcome} />
      <main className="page">
        <section className="intro" aria-labelledby="intro">
          <h1 id="intro">
            {headline.inward} <span>{headline.outward}</span>
          </h1>
          <p>One typed contract over one {wire}, both ways. Everything below is live.</p>
          {tellsPages && <Avatars />}
        </section>
        <TryThis done={done} askCommand={welcome?.askCommand} />
        <div className="columns">
          <div className="column">
            <FileDrop />
            <NotificationFeed folder={welcome?.folder} onFirst={() => mark('change')} />
          </div>
          <div className="column">
            <LoadChart />
            <FileHasher onHashed={() => mark('hash')} />
          </div>
        </div>
        <div className="columns">
          <ToastCentre />
          <QuestionDesk onAnswered={() => mark('ask')} />
        </div>
        <SocketSwitch />
      </main>
      <div className="toasts" role="status">
        <TallyToast />
        <RecoveryToast onBack={() => mark('restart')} />
      </div>
    </>
  )
}
