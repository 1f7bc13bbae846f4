const CSS = `
:host {
  color-scheme: light dark;
  --text: light-dark(#1f2328, #e6edf3);
  --muted: light-dark(#57606a, #9da7b1);
  --ground: light-dark(#ffffff, #0d1117);
  --raised: light-dark(#f3f5f7, #1b222b);
  --line: light-dark(#c5ccd3, #3a434d);
  --accent: light-dark(#0550ae, #79c0ff);
  --good: light-dark(#116329, #56d364);
  --bad: light-dark(#a40e26, #ff8e85);
}
:host([data-theme='light']) { color-scheme: light; }
:host([data-theme='dark']) { color-scheme: dark; }
* { box-sizing: border-box; }
.panel {
  position: fixed; z-index: 99999; display: flex; flex-direction: column;
  font: 0.8125rem/1.4 system-ui, sans-serif; color: var(--text); background: var(--ground);
  border: 1px solid var(--line); box-shadow: 0 0 1.5rem rgb(0 0 0 / 25%);
}
.panel[data-position='bottom'] { inset-inline: 0; inset-block-end: 0; block-size: var(--size); max-block-size: 100dvh; }
.panel[data-position='right'] { inset-block: 0; inset-inline-end: 0; inline-size: var(--size); max-inline-size: 100vw; }
.panel[data-position='floating'] {
  inset-block-end: 1rem; inset-inline-end: 1rem; inline-size: min(46rem, calc(100vw - 2rem));
  block-size: var(--size); max-block-size: calc(100dvh - 2rem); border-radius: 0.5rem; overflow: hidden;
}
.handle { flex: none; background: var(--raised); touch-action: none; }
.handle[aria-orientation='horizontal'] { block-size: 0.375rem; cursor: ns-resize; }
.handle[aria-orientation='vertical'] { position: absolute; inset-block: 0; inset-inline-start: 0; inline-size: 0.375rem; cursor: ew-resize; }
.bar { display: flex; flex-wrap: wrap; gap: 0.375rem 0.75rem; align-items: center; padding: 0.375rem 0.75rem; border-block-end: 1px solid var(--line); }
.bar > .end { margin-inline-start: auto; display: flex; flex-wrap: wrap; gap: 0.375rem 0.75rem; align-items: center; }
h2 { margin: 0; font-size: 0.875rem; }
h3 { margin: 0 0 0.25rem; font-size: 0.8125rem; overflow-wrap: anywhere; }
button, select, input {
  font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--line); border-radius: 0.25rem; padding: 0.125rem 0.5rem;
}
button { cursor: pointer; }
button:hover:not(:disabled) { background: var(--raised); }
button:disabled { color: var(--muted); cursor: default; }
button[aria-pressed='true'], [role='tab'][aria-selected='true'] { border-color: var(--accent); color: var(--accent); font-weight: 600; }
label { display: inline-flex; gap: 0.25rem; align-items: center; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.view { flex: 1; min-block-size: 0; display: flex; flex-direction: column; }
.split { flex: 1; min-block-size: 0; display: flex; }
.scroll { flex: 1; min-inline-size: 0; overflow: auto; }
.details { flex: 1; min-inline-size: 0; overflow: auto; padding: 0.5rem 0.75rem; border-inline-start: 1px solid var(--line); }
@media (width < 45rem) {
  .split { flex-direction: column; }
  .details { border-inline-start: 0; border-block-start: 1px solid var(--line); }
}
.panel[data-position='right'] .split { flex-direction: column; }
.panel[data-position='right'] .details { border-inline-start: 0; border-block-start: 1px solid var(--line); }
table { inline-size: 100%; border-collapse: collapse; }
th, td { padding: 0.125rem 0.5rem; text-align: start; white-space: nowrap; border-block-end: 1px solid var(--line); }
th { position: sticky; inset-block-start: 0; background: var(--raised); font-weight: 600; }
td.number, th.number { text-align: end; font-variant-numeric: tabular-nums; }
td.wide { inline-size: 100%; max-inline-size: 0; overflow: hidden; text-overflow: ellipsis; }
td.text { white-space: normal; overflow-wrap: anywhere; inline-size: 100%; }
td button { border: 0; padding: 0 0.25rem; background: none; max-inline-size: 100%; overflow: hidden; text-overflow: ellipsis; font-family: ui-monospace, monospace; color: var(--accent); }
tr[data-selected] { background: var(--raised); }
[data-outcome='done'] { color: var(--good); }
[data-outcome='error'], [data-outcome='lost'] { color: var(--bad); }
[data-outcome='pending'], [data-outcome='given up'] { color: var(--muted); }
.muted { color: var(--muted); }
p { margin: 0.5rem 0.75rem; }
pre { margin: 0.25rem 0 0.75rem; padding: 0.5rem; background: var(--raised); border-radius: 0.25rem; font: 0.75rem/1.4 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; max-block-size: 20rem; overflow: auto; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.125rem 0.75rem; margin: 0.5rem 0.75rem; }
.details dl { margin-inline: 0; }
dt { color: var(--muted); }
dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
`

let sheet: CSSStyleSheet | undefined

/** The panel's styles, for its shadow root: constructed, which a Content-Security-Policy does not forbid. */
export function panelSheet(): CSSStyleSheet {
  if (!sheet) {
    sheet = new CSSStyleSheet()
    sheet.replaceSync(CSS)
  }
  return sheet
}
