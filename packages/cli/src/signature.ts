import type { OpenRpcDocument } from '@flashrpc/core/discovery'
import { plain } from '@flashrpc/core/internal'

type Method = OpenRpcDocument['methods'][number]

/** Whether it is called, only told, or yields items. */
type Kind = 'method' | 'notification' | 'stream'

export function kindOf(method: Method): Kind {
  if ('x-flashrpc-item' in method) return 'stream'
  return method.result ? 'method' : 'notification'
}

/** @returns what to know of a method to call it, for programs. */
export function summaryOf(method: Method): { name: string; kind: Kind; params: string[] } {
  const params = method.params.map(({ name, required }) => (required ? name : `${name}?`))
  return { name: method.name, kind: kindOf(method), params }
}

/** @returns the same in a line, as TypeScript would write it: `add(a: number, b: number): number`. */
export function signatureOf(method: Method): string {
  const kind = kindOf(method)
  const params = method.params.map(
    ({ name, required, schema }) => `${plain(name)}${required ? '' : '?'}: ${typeOf(schema)}`,
  )
  if ('x-flashrpc-params' in method && params.length === 0) params.push('…')
  const call = `${plain(method.name)}(${params.join(', ')})`
  if (kind === 'stream') return `${call}: stream of ${typeOf(method['x-flashrpc-item'])}`
  return kind === 'method' ? `${call}: ${typeOf(method.result?.schema)}` : `${call}  (notification)`
}

/** A schema in a word or two. */
function typeOf(schema: unknown): string {
  if (typeof schema !== 'object' || schema === null) return 'any'
  const { type, enum: values, const: value, items, anyOf, oneOf, $ref } = schema as JsonSchema
  if (Array.isArray(values)) return values.map((one) => JSON.stringify(one)).join(' | ')
  if (value !== undefined) return JSON.stringify(value)
  if (typeof $ref === 'string') return $ref.slice($ref.lastIndexOf('/') + 1)
  const choices = anyOf ?? oneOf
  if (Array.isArray(choices)) return choices.map(typeOf).join(' | ')
  if (type === 'array') return Array.isArray(items) ? 'array' : `array of ${typeOf(items)}`
  return [type ?? 'any'].flat().join(' | ')
}

type JsonSchema = Readonly<
  Partial<Record<'type' | 'enum' | 'const' | 'items' | 'anyOf' | 'oneOf' | '$ref', unknown>>
>
