import {
  defineComponent,
  h,
  nextTick,
  onBeforeUnmount,
  onMounted,
  reactive,
  ref,
  shallowRef,
} from 'vue'
import { createEditor, type Editor } from './editor.ts'
import { EXAMPLES, type Example } from './examples.ts'
import { FILES, type FileName, type Files, type Place, type Side, splitAtPlaces } from './files.ts'
import { type Line, run } from './run.ts'
import { fromHash, toHash } from './share.ts'
import { TranspileError } from './transpile.ts'
import './style.css'

/** The most lines of output that are kept. */
const MOST_LINES = 500
/** How long lines are collected before they are drawn, in ms. */
const COLLECT_MS = 16
/** How long after a change the address is written, in ms. */
const WRITE_MS = 300

const UNREADABLE =
  'The programs in the address could not be read, perhaps because the link was cut off. This is an example.'

/**
 * The playground: three files, which the page runs as two programs in workers. Nothing is run before the reader asks for it, because
 * the files may come from a link of somebody else.
 */
export default defineComponent({
  name: 'CodePlayground',
  setup() {
    const example = shallowRef<Example>(EXAMPLES[0])
    const lines = shallowRef<readonly Line[]>([])
    const isRunning = ref(false)
    const busy = reactive(new Set<Side>())
    const notice = ref('')
    const hosts = new Map<FileName, HTMLElement>()
    const editors = new Map<FileName, Editor>()
    const output = ref<HTMLElement>()
    let collected: Line[] = []
    let end = () => {}
    let drawing: ReturnType<typeof setTimeout> | undefined
    let writing: ReturnType<typeof setTimeout> | undefined
    let isClosed = false

    function filesNow(): Files {
      const files = FILES.map((name) => [name, editors.get(name)?.text ?? ''] as const)
      return Object.fromEntries(files) as unknown as Files
    }

    function show(files: Files): void {
      for (const name of FILES) editors.get(name)?.replace(files[name])
    }

    function choose(chosen: Example): void {
      stop()
      clear()
      notice.value = ''
      example.value = chosen
      show(chosen.files)
      void writeAddress()
    }

    /** Shows what the address says. */
    async function readAddress(): Promise<void> {
      try {
        const shared = await fromHash(location.hash)
        if (!shared || isClosed) return
        const chosen = EXAMPLES.find(({ name }) => name === shared.example)
        if (!chosen && !shared.files) throw new Error(`There is no example "${shared.example}"`)
        stop()
        clear()
        notice.value = ''
        example.value = chosen ?? EXAMPLES[0]
        show(shared.files ?? example.value.files)
      } catch {
        notice.value = UNREADABLE
      }
    }

    /** Writes the address, so that it leads to the files as they are. */
    async function writeAddress(): Promise<void> {
      clearTimeout(writing)
      const { name, files: original } = example.value
      const files = filesNow()
      const isChanged = FILES.some((file) => files[file] !== original[file])
      const hash = await toHash(isChanged ? { example: name, files } : { example: name })
      if (!isClosed) history.replaceState(history.state, '', hash)
    }

    function changed(): void {
      clearTimeout(writing)
      writing = setTimeout(writeAddress, WRITE_MS)
    }

    function clear(): void {
      collected = []
      lines.value = []
      for (const editor of editors.values()) editor.mark()
    }

    function print(line: Line): void {
      const place = line.level === 'error' && splitAtPlaces(line.text)[1]
      if (typeof place === 'object') editors.get(place.file)?.mark(place.line)
      collected.push(line)
      drawing ??= setTimeout(draw, COLLECT_MS)
    }

    async function draw(): Promise<void> {
      drawing = undefined
      const log = output.value
      const isAtEnd = !log || log.scrollHeight - log.scrollTop - log.clientHeight < 8
      lines.value = [...lines.value, ...collected].slice(-MOST_LINES)
      collected = []
      await nextTick()
      if (log && isAtEnd) log.scrollTop = log.scrollHeight
    }

    function start(): void {
      stop()
      clear()
      notice.value = ''
      try {
        end = run(filesNow(), {
          line: print,
          busy: (side, isBusy) => (isBusy ? busy.add(side) : busy.delete(side)),
        })
        isRunning.value = true
      } catch (error) {
        if (!(error instanceof TranspileError)) throw error
        print({ side: 'page', level: 'error', text: `${error.name}: ${error.message}` })
      }
      output.value?.scrollIntoView({ block: 'nearest' })
    }

    function stop(): void {
      end()
      end = () => {}
      isRunning.value = false
    }

    async function copyLink(): Promise<void> {
      await writeAddress()
      try {
        await navigator.clipboard.writeText(location.href)
        notice.value = 'The link is copied: it has the three files as they are now.'
      } catch {
        notice.value = 'Copy the address of this page: it has the three files as they are now.'
      }
    }

    onMounted(async () => {
      for (const [name, host] of hosts) {
        editors.set(name, createEditor(host, name, { onChange: changed, onRun: start }))
      }
      show(example.value.files)
      addEventListener('hashchange', readAddress)
      await readAddress()
    })

    onBeforeUnmount(() => {
      isClosed = true
      removeEventListener('hashchange', readAddress)
      clearTimeout(writing)
      clearTimeout(drawing)
      stop()
      for (const editor of editors.values()) editor.close()
    })

    function status(): string {
      if (busy.size > 0) {
        return `The ${[...busy].join(' and the ')} does not answer, perhaps because of an endless loop. Stop ends it.`
      }
      return isRunning.value ? 'Running' : 'Not running'
    }

    const button = (text: string, onClick: () => void, props: object = {}) =>
      h('button', { type: 'button', onClick, ...props }, text)

    const toolbar = () =>
      h('div', { class: 'toolbar', role: 'group', 'aria-label': 'Programs' }, [
        h('label', [
          'Example ',
          h(
            'select',
            {
              value: example.value.name,
              onChange: ({ target }: { target: HTMLSelectElement }) => {
                const chosen = EXAMPLES.find(({ name }) => name === target.value)
                if (chosen) choose(chosen)
              },
            },
            EXAMPLES.map(({ name, title }) =>
              h('option', { value: name, selected: name === example.value.name }, title),
            ),
          ),
        ]),
        button('Run', start, { class: 'run', title: 'Ctrl+Enter, or Cmd+Enter on a Mac' }),
        button('Stop', stop, { disabled: !isRunning.value }),
        button('Reset', () => choose(example.value)),
        button('Copy link', () => void copyLink()),
        h('span', { class: 'status', role: 'status' }, status()),
      ])

    const editorOf = (name: FileName) =>
      h(
        'section',
        { class: ['file', name.replace('.ts', '')], 'aria-label': `File ${name}`, key: name },
        [
          h('div', { class: 'file-name' }, name),
          h('div', {
            class: 'editor',
            ref: (host) => {
              if (host instanceof HTMLElement) hosts.set(name, host)
            },
          }),
        ],
      )

    const placeButton = ({ file, line, text }: Place & { text: string }) =>
      button(text, () => editors.get(file)?.goTo(line), { class: 'place' })

    const outputLine = ({ side, level, text }: Line, index: number) =>
      h('div', { class: ['line', side, level], key: index }, [
        h('span', { class: 'side' }, side),
        h(
          'span',
          { class: 'text' },
          splitAtPlaces(text).map((part) => (typeof part === 'string' ? part : placeButton(part))),
        ),
      ])

    return () =>
      h('div', { class: 'playground' }, [
        toolbar(),
        h('p', { class: 'notice', role: 'status' }, notice.value),
        h('div', { class: 'panels' }, [
          ...FILES.map(editorOf),
          h('section', { class: 'file output', 'aria-label': 'Output of both programs' }, [
            h('div', { class: 'file-name' }, 'Output'),
            h(
              'div',
              { class: 'lines', role: 'log', tabindex: 0, 'aria-label': 'Output', ref: output },
              lines.value.map(outputLine),
            ),
          ]),
        ]),
      ])
  },
})
