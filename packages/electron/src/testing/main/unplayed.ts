import { NotPlayedError } from '../bench-errors.js'

/** Names that libraries and test runners look up on anything; their absence means what it says. */
const LOOKED_UP = new Set(['then', 'constructor', 'inspect', 'nodeType', 'tagName', 'domain'])
const MEMBER = /^[a-z][A-Za-z]+$/
const FOREIGN = /^(to[A-Z]|asymmetric|has[A-Z]|is[A-Z]\w*(Type|Element)$)/

/** Whether reading a member that is missing means that the app relies on what is not played. */
function isRelied(key: string | symbol): key is string {
  return typeof key === 'string' && MEMBER.test(key) && !LOOKED_UP.has(key) && !FOREIGN.test(key)
}

/**
 * Makes the read of an unknown member of a class's instances throw, instead of giving `undefined`. The end of the
 * prototype chain is replaced, so that instances stay ordinary objects.
 */
export function throwOnUnplayed(played: { readonly prototype: object }, name: string): void {
  const { prototype } = played
  const parent = Object.getPrototypeOf(prototype) as object
  Object.setPrototypeOf(prototype, unplayedMembers(name, parent))
}

/** The object; reading a member that it has not throws, and names it. */
export function unplayedMembers<T extends object>(name: string, members: T): T {
  return new Proxy(members, {
    get(target, key, receiver) {
      if (!(key in target) && isRelied(key)) throw new NotPlayedError(`${name}.${key}`)
      return Reflect.get(target, key, receiver)
    },
  })
}

/** Stands for a whole module of Electron that is not played: any use of it throws, and names it. */
export function unplayedModule(name: string): object {
  const refuse = () => {
    throw new NotPlayedError(name)
  }
  return new Proxy(refuse, {
    get(target, key) {
      if (isRelied(key)) throw new NotPlayedError(`${name}.${key}`)
      return Reflect.get(target, key)
    },
    construct: refuse,
  })
}
