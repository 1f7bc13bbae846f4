import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { findElectron } from '../apps/demo/src/desktop/electron-binary.ts'

/**
 * Tests the demo's desktop app in real Electron, where there is one. It looks for it and downloads
 * nothing; where there is none, it says so in one line and succeeds, unless
 * `FLASHRPC_REQUIRE_ELECTRON=1`.
 */

const PNPM = 'npx --yes pnpm@12'

/** What keeps it from running, and the remedy. */
function obstacle(): string | undefined {
  const electron = findElectron()
  if ('why' in electron) return `${electron.why}; ${electron.remedy}`
  const { DISPLAY, WAYLAND_DISPLAY } = process.env
  if (process.platform !== 'linux' || DISPLAY || WAYLAND_DISPLAY) return undefined
  return `there is no display; run it under xvfb: xvfb-run -a ${PNPM} test:electron`
}

function run(command: string): number {
  const { status } = spawnSync(command, {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    shell: true,
    stdio: 'inherit',
  })
  return status ?? 1
}

const why = obstacle()
if (why === undefined) {
  process.exitCode = run('npx vitest run --config vitest.electron.config.ts')
} else {
  const isRequired = process.env.FLASHRPC_REQUIRE_ELECTRON === '1'
  console.log(`${isRequired ? 'Can’t run' : 'Skipped'} the tests in real Electron: ${why}`)
  process.exitCode = isRequired ? 1 : 0
}
