import { styleSheet, UNSEEN } from '../style-sheet.js'

/** The panel's styles. */
export const panelSheet = styleSheet(`
:host {
  --text: light-dark(#1b1a17, #eceef2);
  --muted: light-dark(#615c52, #a3aab6);
  --ground: light-dark(#ffffff, #13151a);
  --raised: light-dark(#f7f5f0, #1a1d24);
  --line: light-dark(#e5e1d8, #2a2f39);
  --edge: light-dark(#d3cdc0, #3c434f);
  --accent: light-dark(#a04e00, #ffcf5c);
  --accent-soft: light-dark(#fdf1d3, #2a2312);
  --good: light-dark(#0e6a40, #45d68f);
  --bad: light-dark(#c02b33, #ff7a80);
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, monospace;
  --control: 1.75rem;
}
@media (pointer: coarse) { :host { --control: 2.25rem; } }
* { box-sizing: border-box; }
.panel {
  all: initial; box-sizing: border-box; color-scheme: inherit; position: fixed; z-index: 99999; inset: auto; margin: 0; padding: 0; overflow: visible;
  display: flex; flex-direction: column; container: panel / inline-size;
  font: 0.8125rem/1.4 ui-sans-serif, system-ui, sans-serif; color: var(--text); background: var(--ground);
  border: 0 solid var(--edge); box-shadow: 0 0 2.5rem rgb(0 0 0 / 22%);
}
.panel:focus { outline: 0; }
.panel[data-position='bottom'] {
  inset-inline: 0; inset-block-end: 0; inline-size: auto; block-size: var(--size); max-block-size: calc(100dvh - 1rem);
  border-block-start-width: 1px;
}
.panel[data-position='right'] {
  inset-block: 0; inset-inline-end: 0; block-size: auto; inline-size: var(--size); max-inline-size: 100vw;
  border-inline-start-width: 1px;
}
.panel[data-position='floating'] {
  inset-block-end: 1rem; inset-inline-end: 1rem; inline-size: min(46rem, calc(100vw - 2rem));
  block-size: var(--size); max-block-size: calc(100dvh - 2rem); border-width: 1px; border-radius: 0.75rem;
}
.panel[data-position='floating'] .split { border-end-start-radius: 0.75rem; border-end-end-radius: 0.75rem; overflow: hidden; }

/* It can be taken hold of within 24 px, and is seen as a grip. */
.handle { position: absolute; z-index: 2; display: grid; place-items: center; touch-action: none; }
.handle[aria-orientation='horizontal'] { inset-inline: 0; inset-block-start: -0.75rem; block-size: 1.5rem; cursor: ns-resize; }
.handle[aria-orientation='vertical'] { inset-block: 0; inset-inline-start: -0.75rem; inline-size: 1.5rem; cursor: ew-resize; }
.handle::before { content: ''; border-radius: 1rem; background: var(--edge); }
.handle[aria-orientation='horizontal']::before { inline-size: 2.5rem; block-size: 0.25rem; translate: 0 0.375rem; }
.handle[aria-orientation='vertical']::before { inline-size: 0.25rem; block-size: 2.5rem; translate: 0.375rem 0; }
.handle:hover::before, .handle:focus-visible::before { background: var(--accent); }

.bar { display: flex; flex-wrap: wrap; gap: 0.375rem 0.5rem; align-items: center; padding: 0.5rem 0.75rem; border-block-end: 1px solid var(--line); }
.handle + .bar { padding-block-start: 0.75rem; }
.tools { margin-inline-start: auto; display: flex; gap: 0.375rem 0.5rem; align-items: center; }
h2 { display: flex; gap: 0.375rem; align-items: center; margin: 0 0.5rem 0 0; font-size: 0.9375rem; font-weight: 680; letter-spacing: -0.02em; }
h2 svg, .empty svg { flex: none; inline-size: 1.125rem; block-size: 1.125rem; fill: #ffb81f; }
h3 { margin: 0 0 0.25rem; font-size: 0.8125rem; font-weight: 600; overflow-wrap: anywhere; }
button, select, input {
  font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--edge); border-radius: 0.5rem;
  min-block-size: var(--control); padding: 0 0.625rem;
}
select { padding-inline: 0.375rem; color: var(--text); text-overflow: ellipsis; }
input[type='search'] { inline-size: 13rem; }
input[type='checkbox'] { min-block-size: 0; inline-size: 1rem; block-size: 1rem; margin: 0; accent-color: var(--accent); }
button, select, label { cursor: pointer; }
button:hover:not(:disabled), select:hover { background: var(--raised); }
button:disabled { color: var(--muted); cursor: default; }
button[aria-pressed='true'] { border-color: var(--accent); background: var(--accent-soft); color: var(--accent); font-weight: 600; }
[role='tablist'] { display: flex; gap: 0.125rem; padding: 0.125rem; border-radius: 0.625rem; background: var(--raised); }
[role='tab'] { border-color: transparent; background: none; color: var(--muted); white-space: nowrap; }
[role='tab'][aria-selected='true'] { border-color: var(--edge); background: var(--ground); color: var(--accent); font-weight: 600; }
label { display: inline-flex; gap: 0.375rem; align-items: center; min-block-size: var(--control); white-space: nowrap; }
::placeholder { color: var(--muted); opacity: 1; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }

.view { flex: 1; min-block-size: 0; display: flex; flex-direction: column; }
.split { flex: 1; min-block-size: 0; display: flex; }
.scroll { flex: 1; min-inline-size: 0; overflow: auto; overscroll-behavior: contain; scrollbar-width: thin; container: list / inline-size; }
.details { flex: 1; min-inline-size: 0; overflow: auto; overscroll-behavior: contain; scrollbar-width: thin; border-inline-start: 1px solid var(--line); }
.details > :not(.bar) { margin-inline: 0.75rem; }
.details > .bar { position: sticky; inset-block-start: 0; background: var(--ground); }
.details > .bar h3 { margin: 0 0.5rem 0 0; font-family: var(--mono); }
.close { margin-inline-start: auto; }
.tools + .close { margin-inline-start: 0; }
.scroll:focus-visible, .details:focus-visible, pre:focus-visible { outline-offset: -2px; }

table { inline-size: 100%; border-collapse: collapse; }
th, td { block-size: 1.8125rem; padding: 0.125rem 0.5rem; text-align: start; white-space: nowrap; border-block-end: 1px solid var(--line); }
th:first-child, td:first-child { padding-inline-start: 0.75rem; }
th:last-child, td:last-child { padding-inline-end: 0.75rem; }
th { position: sticky; z-index: 1; inset-block-start: 0; background: var(--raised); box-shadow: 1px 0 var(--raised); color: var(--muted); font-size: 0.75rem; font-weight: 600; }
td.number, th.number { text-align: end; }
td { font-variant-numeric: tabular-nums; }
td.time, td.kind, td.size { color: var(--muted); }
td.wide { inline-size: 100%; max-inline-size: 0; min-inline-size: 8rem; }
td.text { white-space: normal; overflow-wrap: anywhere; inline-size: 100%; padding-block: 0.3125rem; }
td button { display: block; scroll-margin-block: 2rem; inline-size: 100%; min-block-size: 1.5rem; padding: 0; border: 0; background: none; overflow: hidden; text-align: start; text-overflow: ellipsis; white-space: nowrap; font: 500 0.78125rem/1.4 var(--mono); color: var(--accent); }
td button:hover:not(:disabled) { background: none; text-decoration: underline; }
td button:focus-visible { outline-offset: -1px; }
tbody tr[data-key] { cursor: pointer; }
tbody tr:hover { background: var(--raised); }
tbody tr[data-selected] { background: var(--accent-soft); }
[data-tone] { --tone: var(--muted); color: var(--tone); }
[data-tone='good'] { --tone: var(--good); }
[data-tone='bad'] { --tone: var(--bad); }
[data-tone]::before { content: ''; display: inline-block; inline-size: 0.4375rem; block-size: 0.4375rem; margin-inline-end: 0.4375rem; border-radius: 50%; background: var(--tone); vertical-align: 0.0625rem; }
.muted { color: var(--muted); }
p { margin: 0.625rem 0.75rem; }
.empty { display: grid; justify-items: center; gap: 0.25rem; max-inline-size: 26rem; margin: 0 auto; padding: 2.5rem 1rem; text-align: center; text-wrap: balance; }
.empty p { margin: 0; color: var(--muted); }
.empty svg { inline-size: 1.75rem; block-size: 1.75rem; margin-block-end: 0.25rem; }
.empty button { margin-block-start: 0.5rem; }
pre { margin: 0.25rem 0 0.75rem; padding: 0.5rem 0.625rem; background: var(--raised); border: 1px solid var(--line); border-radius: 0.5rem; font: 0.75rem/1.5 var(--mono); white-space: pre-wrap; overflow-wrap: anywhere; max-block-size: 20rem; overflow: auto; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1rem; margin: 0.75rem; }
dt { color: var(--muted); }
dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.unseen { ${UNSEEN} }

@container list (width < 42rem) { .kind { display: none; } }
@container list (width < 32rem) {
  .time, .size { display: none; }
  th:nth-child(2), td:nth-child(2) { padding-inline-start: 0.75rem; }
  td:nth-last-child(2), th:nth-last-child(2) { padding-inline-end: 0.75rem; }
  .far { ${UNSEEN} }
  td.outcome { min-inline-size: 8.5rem; white-space: normal; }
}
@container list (width < 24rem) {
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-block-end: 0.5rem; }
}
/* Narrow: the tools have lines of their own, and a row's details take the place of the rows. */
@container panel (width < 52rem) {
  .tools { order: 1; inline-size: 100%; }
  .tools select { flex: 1 1 5rem; min-inline-size: 0; }
  .tools select:first-child { flex-grow: 3; }
  .tools + .close { margin-inline-start: auto; }
  search.bar select { flex: 1 1 5rem; min-inline-size: 0; }
  input[type='search'] { flex: 1 1 8rem; min-inline-size: 0; }
}
@container panel (width < 42rem) {
  h2 { display: none; }
  search.bar { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); }
  search.bar input[type='search'] { grid-row: 1; grid-column: 1 / 3; }
  search.bar label { grid-row: 1; grid-column: 3; justify-self: end; }
  .details > .bar h3 { inline-size: 100%; }
  .split:has(> .details) > .scroll { display: none; }
  .details { border-inline-start: 0; }
}
`)
