/** Marks up text for a terminal; where the output is none, or colours are unwanted, it stays plain. */
const isColoured =
  process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb'

const markUp = (code: number, end: number) => (text: string) =>
  isColoured ? `\u001b[${code}m${text}\u001b[${end}m` : text

export const bold = markUp(1, 22)
export const dim = markUp(2, 22)
export const cyan = markUp(36, 39)
export const green = markUp(32, 39)
export const red = markUp(31, 39)
export const yellow = markUp(33, 39)
