/** A block of the guide: guide-blocks.ts. */
declare module 'guide:*'
