import { EventEmitter } from 'node:events'
import { createLoopback, type LoopbackOptions } from '@flashrpc/electron/loopback'
import {
  createElectronHost,
  type ElectronHostOptions,
  type UtilityTransportOptions,
  utilityTransport,
} from '@flashrpc/electron/main'
import { type ElectronTransportOptions, electronTransport } from '@flashrpc/electron/renderer'
import {
  type ElectronAppOptions,
  ElectronBenchError,
  type ElectronBenchOptions,
  launchElectronApp,
  launchElectronBench,
} from '@flashrpc/electron/testing'
import { serveUtility, type UtilityOptions } from '@flashrpc/electron/utility'
import { describe } from 'vitest'
import {
  CHANNEL,
  FLAG,
  FUNCTIONS,
  hook,
  NUMBER,
  optionCase,
  testNonsense,
  testOptions,
} from '../../core/test/support/option-cases.js'

// Ports are reliable, and speak no dialect.
const { heartbeat: _, dialect: __, ...PORT } = CHANNEL
const HOST = {
  ...PORT,
  helloTimeoutMs: NUMBER,
  discover: [{ title: 'x' }, 'x'],
  methods: [{ add: hook }, 'x'],
  authorize: FUNCTIONS,
  presence: [{ allow: hook }, { allow: 'x' }],
  onConnect: FUNCTIONS,
  onDisconnect: FUNCTIONS,
  onError: [
    [hook, hook],
    [hook, 5],
  ],
} as const

const ipcMain = new EventEmitter() as never
const hostOptions = { ipcMain, allow: ['app://demo'], methods: {} }
const child = Object.assign(new EventEmitter(), { postMessage: hook }) as never
const parentPort = () => new EventEmitter() as never

/** Where nothing can be started: whether the options are taken is known before. */
const launched = async (launch: Promise<unknown>) => {
  await launch.catch((error: unknown) => {
    if (!(error instanceof ElectronBenchError)) throw error
  })
}

testOptions([
  optionCase<ElectronHostOptions<object, object>>(
    'createElectronHost',
    (options) => createElectronHost(options as never),
    {
      ...HOST,
      ipcMain: [ipcMain, {}],
      allow: [hook, 'app://demo'],
      identify: FUNCTIONS,
      name: ['other', 5],
    },
    hostOptions as never,
  ),
  optionCase<{ drain?: number }>(
    'close',
    async (options) => {
      const closing = createElectronHost({ ...hostOptions, name: 'closing' })
      try {
        await closing.close(options)
      } finally {
        await closing.close()
      }
    },
    { drain: NUMBER },
  ),
  optionCase<{ drain?: number }>(
    'close',
    async (options) => {
      await using loopback = await createLoopback({ methods: {}, origins: [] })
      await loopback.close(options)
    },
    { drain: NUMBER },
  ),
  optionCase<UtilityTransportOptions>(
    'utilityTransport',
    (options) => void utilityTransport(child, options),
    { MessageChannelMain: [class {}, 'x'] },
    { MessageChannelMain: class {} as never },
  ),
  optionCase<ElectronTransportOptions>(
    'electronTransport',
    (options) => void electronTransport(options),
    { name: ['other', 5] },
  ),
  optionCase<UtilityOptions<object, object>>(
    'serveUtility',
    (options) => serveUtility(parentPort(), options as never),
    HOST,
    { methods: {} },
  ),
  optionCase<LoopbackOptions<object, object>>(
    'createLoopback',
    (options) => createLoopback(options as never),
    {
      ...HOST,
      heartbeat: [false, 5],
      dialect: [undefined, 'x'],
      onReject: FUNCTIONS,
      origins: [['app://demo'], 'app://demo'],
      identify: FUNCTIONS,
      identifyTimeoutMs: NUMBER,
    },
    { methods: {}, origins: [] },
  ),
  optionCase<ElectronBenchOptions>(
    'launchElectronBench',
    (options) => launched(launchElectronBench(options)),
    {
      executablePath: ['/none', 5],
      args: [[], 'x'],
      headless: FLAG,
      schemes: [[], 'x'],
      serve: FUNCTIONS,
    },
    { executablePath: '/none' },
  ),
  optionCase<ElectronAppOptions>(
    'launchElectronApp',
    (options) => launched(launchElectronApp(options)),
    {
      main: ['/none/main.js', 5],
      args: [[], 'x'],
      env: [{}, 'x'],
      cwd: ['/', 5],
      nodeArgs: [[], 'x'],
      executablePath: ['/none', 5],
      chromiumArgs: [[], 'x'],
      headless: FLAG,
      timeout: NUMBER,
      quitTimeout: NUMBER,
    },
    { main: '/none/main.js' },
  ),
])

describe('nonsense in place of arguments is refused by an error of this library, or taken', () => {
  const aHost = createElectronHost({ ...hostOptions, name: 'nonsense' } as never)
  testNonsense([
    ['createElectronHost', createElectronHost],
    ['host.channelOf', (target) => void aHost.channelOf(target)],
    ['host.whenConnected', aHost.whenConnected.bind(aHost)],
    ['host.group', aHost.group.bind(aHost)],
    ['host.pageOf', aHost.pageOf.bind(aHost), 1],
    ['host.pipe', (...args: unknown[]) => void Reflect.apply(aHost.pipe, aHost, args)],
    ['host.on', (...args: unknown[]) => void Reflect.apply(aHost.on, aHost, args)],
    ['utilityTransport', utilityTransport],
    ['electronTransport', electronTransport],
    ['serveUtility', serveUtility],
    ['createLoopback', createLoopback],
  ])
})
