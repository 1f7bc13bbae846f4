const PATHS = {
  bolt: 'M13 2 4.6 12.6c-.4.5 0 1.2.6 1.2H11l-1 7.7c-.1.8.9 1.2 1.4.6L20 11.4c.4-.5 0-1.2-.6-1.2h-5.7l1-7.3c.1-.9-1-1.4-1.7-.9Z',
  added: 'M12 5v14M5 12h14',
  changed: 'M4 20h4L19 9a2.1 2.1 0 0 0-3-3L5 17v3Z M14.5 7.5l3 3',
  removed: 'M5 12h14',
  file: 'M14 3H7a1 1 0 0 0-1 1v16a1 1 0 0 0 1 1h10a1 1 0 0 0 1-1V7l-4-4Z M14 3v4h4',
  folder: 'M3 7a1 1 0 0 1 1-1h5l2 2.5h8a1 1 0 0 1 1 1V18a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V7Z',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14Z M20 20l-4-4',
  copy: 'M9 9h10a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H9a1 1 0 0 1-1-1V10a1 1 0 0 1 1-1Z M4 15V4a1 1 0 0 1 1-1h11',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  alert:
    'M12 8v5 M12 16.5v.01 M10.3 4 3 17a2 2 0 0 0 1.7 3h14.6a2 2 0 0 0 1.7-3L13.7 4a2 2 0 0 0-3.4 0Z',
  chart: 'M3 12h4l3-8 4 16 3-8h4',
  bell: 'M6 10a6 6 0 1 1 12 0c0 5 2 6 2 7H4c0-1 2-2 2-7Z M10 20.5a2.2 2.2 0 0 0 4 0',
  hash: 'M9 4 7 20 M17 4l-2 16 M4.5 9h16 M3.5 15h16',
  question: 'M9 9.2a3 3 0 1 1 4.6 2.5c-1 .7-1.6 1.2-1.6 2.5 M12 17.5v.01',
  drop: 'M12 4v11 M7.5 10.5 12 15l4.5-4.5 M4 16v3a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-3',
  page: 'M5 5h14a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1Z M4 9h16',
  plug: 'M9 3v5 M15 3v5 M6 8h12v3a6 6 0 0 1-12 0V8Z M12 17v4',
} as const

export type IconName = keyof typeof PATHS

/** A drawing that only repeats what the text beside it says. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg className={`icon icon-${name}`} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  )
}
