/** The place of the panel in the page. */
export type DevtoolsPosition = 'bottom' | 'right' | 'floating'
