/** Where the panel is. */
export type DevtoolsPosition = 'bottom' | 'right' | 'floating'
