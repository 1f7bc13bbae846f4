/** Values that a structured clone knows, as text and back. Made by {@link createStructuredText}. */
export interface StructuredText {
  stringify(value: unknown): string
  parse(text: string): unknown
}

/** How {@link createStructuredText} carries what has no text of its own, such as functions. */
export interface Carried {
  /** @returns a name for the value; `undefined` for an ordinary value. */
  leave(value: object): unknown
  /** The value of a name that `leave` gave on the other side. */
  arrive(name: unknown): unknown
}

/**
 * A value as text, for the DevTools protocol, instead of the structured clone of Electron's IPC. It is a table of
 * nodes that refer to each other by index, so that cycles and shared values are kept.
 *
 * It uses nothing outside of itself, because its source also runs in the page.
 */
export function createStructuredText(carried?: Carried): StructuredText {
  type Node = [kind: string, ...parts: unknown[]]

  function toBase64(bytes: Uint8Array): string {
    let text = ''
    for (let start = 0; start < bytes.length; start += 0x8000) {
      text += String.fromCharCode(...bytes.subarray(start, start + 0x8000))
    }
    return btoa(text)
  }

  function fromBase64(text: string): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  }

  function kindOf(value: object): string {
    return Object.prototype.toString.call(value).slice(8, -1)
  }

  function stringify(root: unknown): string {
    const nodes: Node[] = []
    const seen = new Map<unknown, number>()

    function add(value: unknown): number {
      const known = seen.get(value)
      if (known !== undefined) return known
      const index = nodes.length
      nodes.push(['undefined'])
      seen.set(value, index)
      nodes[index] = describe(value)
      return index
    }

    function describe(value: unknown): Node {
      if (value === undefined) return ['undefined']
      if (typeof value === 'bigint') return ['bigint', String(value)]
      if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))) {
        return ['number', Object.is(value, -0) ? '-0' : String(value)]
      }
      if (typeof value === 'symbol') throw new Error('An object could not be cloned.')
      if (value === null || (typeof value !== 'object' && typeof value !== 'function')) {
        return ['plain', value]
      }
      const name = carried?.leave(value)
      if (name !== undefined) return ['carried', name]
      if (typeof value === 'function') throw new Error('An object could not be cloned.')
      return describeObject(value)
    }

    function describeObject(value: object): Node {
      const kind = kindOf(value)
      if (value instanceof Date) return ['Date', value.getTime()]
      if (value instanceof RegExp) return ['RegExp', value.source, value.flags]
      if (value instanceof Map) return ['Map', [...value].map(([k, v]) => [add(k), add(v)])]
      if (value instanceof Set) return ['Set', [...value].map(add)]
      if (value instanceof ArrayBuffer) return ['ArrayBuffer', toBase64(new Uint8Array(value))]
      if (ArrayBuffer.isView(value)) {
        return ['view', kind, add(value.buffer), value.byteOffset, lengthOf(value)]
      }
      if (value instanceof Error) {
        const { name, message, stack } = value
        return ['Error', name, message, stack, 'cause' in value ? add(value.cause) : -1]
      }
      if (kind === 'Number' || kind === 'String' || kind === 'Boolean' || kind === 'BigInt') {
        return ['boxed', add(value.valueOf())]
      }
      const entries = Object.entries(value).map(([k, v]) => [k, add(v)])
      return Array.isArray(value) ? ['Array', value.length, entries] : ['Object', entries]
    }

    function lengthOf(view: ArrayBufferView): number {
      return 'length' in view ? Number(view.length) : view.byteLength
    }

    add(root)
    return JSON.stringify(nodes)
  }

  function parse(text: string): unknown {
    const nodes = JSON.parse(text) as Node[]
    const made = new Map<number, unknown>()

    function keep<T>(index: number, value: T): T {
      made.set(index, value)
      return value
    }

    function set(target: object, entries: unknown): void {
      for (const [key, at] of entries as [string, number][]) {
        // Defined, not assigned: `__proto__` is a key like any other.
        const value = make(at)
        const own = { value, writable: true, enumerable: true, configurable: true }
        Object.defineProperty(target, key, own)
      }
    }

    function make(index: number): unknown {
      if (made.has(index)) return made.get(index)
      const [kind, a, b, c, d] = nodes[index] ?? ['undefined']
      switch (kind) {
        case 'plain':
          return a
        case 'bigint':
          return BigInt(a as string)
        case 'number':
          return Number(a)
        case 'carried':
          return keep(index, carried?.arrive(a))
        case 'Date':
          return keep(index, new Date(a as number))
        case 'RegExp':
          return keep(index, new RegExp(a as string, b as string))
        case 'ArrayBuffer':
          return keep(index, fromBase64(a as string).buffer)
        case 'view':
          return keep(index, makeView(a as string, make(b as number), c as number, d as number))
        case 'boxed':
          return keep(index, Object(make(a as number)))
        case 'Map': {
          const map = keep(index, new Map())
          for (const [k, v] of a as [number, number][]) map.set(make(k), make(v))
          return map
        }
        case 'Set': {
          const all = keep(index, new Set())
          for (const member of a as number[]) all.add(make(member))
          return all
        }
        case 'Error': {
          const error = keep(index, new Error(b as string))
          const cause = d as number
          const own: Record<string, unknown> = { name: a, stack: c }
          if (cause >= 0) own.cause = make(cause)
          for (const [key, value] of Object.entries(own)) {
            Object.defineProperty(error, key, { value, writable: true, configurable: true })
          }
          return error
        }
        case 'Array': {
          const array = keep(index, new Array(a as number))
          set(array, b)
          return array
        }
        case 'Object': {
          const object = keep(index, {})
          set(object, a)
          return object
        }
        default:
          return undefined
      }
    }

    function makeView(kind: string, buffer: unknown, offset: number, length: number): unknown {
      const View = Reflect.get(globalThis, kind) as new (
        buffer: unknown,
        offset: number,
        length: number,
      ) => ArrayBufferView
      return new View(buffer, offset, length)
    }

    return make(0)
  }

  return { stringify, parse }
}
