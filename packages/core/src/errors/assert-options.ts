import { nearestName } from './nearest.js'
import { checkOptions } from './options.js'

/** Checks an object of options as {@link checkOptions} does, and names the known option that was probably meant. */
export function assertOptions(
  where: string,
  options: unknown,
  known: object,
  method?: string,
): void {
  checkOptions(where, options, known, nearestName, method)
}
