import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { javascript } from '@codemirror/lang-javascript'
import { bracketMatching, indentOnInput, syntaxHighlighting } from '@codemirror/language'
import { EditorState, StateEffect, StateField } from '@codemirror/state'
import { Decoration, type DecorationSet, EditorView, keymap, lineNumbers } from '@codemirror/view'
import { classHighlighter } from '@lezer/highlight'

/** The editor of one file. */
export interface Editor {
  readonly text: string
  /** Replaces the text; undo brings the old one back. `onChange` is not called. */
  replace(text: string): void
  /** Marks a line, from 1, as the place of an error, until the text changes. Without one, no line is marked. */
  mark(line?: number): void
  /** Puts the cursor on a line. */
  goTo(line: number): void
  close(): void
}

const setMark = StateEffect.define<number | undefined>()
const marked = Decoration.line({ class: 'error-line' })

/** The marked line, as decoration. */
const markField = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    for (const effect of transaction.effects) {
      if (!effect.is(setMark)) continue
      const { doc } = transaction.state
      const { value } = effect
      if (value === undefined || value > doc.lines) return Decoration.none
      return Decoration.set([marked.range(doc.line(value).from)])
    }
    return transaction.docChanged ? Decoration.none : marks
  },
  provide: (field) => EditorView.decorations.from(field),
})

/**
 * Makes an editor of TypeScript. The tab key leaves it, so that the page can be used by keyboard.
 *
 * @param label what readers of the screen call it.
 * @param onRun called by Ctrl+Enter (on a Mac, by Cmd+Enter).
 */
export function createEditor(
  parent: HTMLElement,
  label: string,
  { onChange, onRun }: { onChange(): void; onRun(): void },
): Editor {
  let isReplacing = false
  const listener = EditorView.updateListener.of(({ docChanged }) => {
    if (docChanged && !isReplacing) onChange()
  })
  const runKey = {
    key: 'Mod-Enter',
    run: () => {
      onRun()
      return true
    },
  }
  const view = new EditorView({
    parent,
    state: EditorState.create({
      extensions: [
        lineNumbers(),
        history(),
        indentOnInput(),
        bracketMatching(),
        EditorState.tabSize.of(2),
        javascript({ typescript: true }),
        syntaxHighlighting(classHighlighter),
        keymap.of([runKey, ...defaultKeymap, ...historyKeymap]),
        markField,
        listener,
        EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
      ],
    }),
  })
  return {
    get text() {
      return view.state.doc.toString()
    },
    replace(text) {
      isReplacing = true
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } })
      isReplacing = false
    },
    mark: (line) => view.dispatch({ effects: setMark.of(line) }),
    goTo(line) {
      const { from } = view.state.doc.line(Math.min(line, view.state.doc.lines))
      view.dispatch({ selection: { anchor: from }, scrollIntoView: true })
      view.focus()
    },
    close: () => view.destroy(),
  }
}
