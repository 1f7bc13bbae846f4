import { describeSystem } from '../lib/describe-browser.js'
import type { Surface } from './surface.js'

/** A window of the desktop app, and its main process. */
export const desktopSurface: Surface = {
  page: 'window',
  host: { begin: 'The main process', within: 'the main process' },
  wire: 'MessagePort',
  tellsPages: false,
  headline: { inward: 'Main calls this window.', outward: 'The window calls main.' },
  loadTitle: 'This machine',
  steps: {
    change: { title: 'Save a file', text: 'Main notifies every window.' },
    ask: { title: 'Let it ask you', text: 'Menu: Ask, Ask all windows.' },
    hash: { title: 'Hash a file', text: 'This window calls main.' },
    restart: { title: 'Reload this window', text: 'Menu: View, Reload.' },
  },
  // A window forgets what it showed when it is reloaded; that it was is the step.
  done: wasReloaded() ? ['restart'] : [],
  name: ['Electron', describeSystem(navigator.userAgent)].filter(Boolean).join(' on '),
}

function wasReloaded(): boolean {
  const [navigation] = performance.getEntriesByType('navigation')
  return navigation instanceof PerformanceNavigationTiming && navigation.type === 'reload'
}
