import * as ofJsonSchema from '@json-schema-tools/meta-schema'
import * as ofOpenRpc from '@open-rpc/meta-schema'
import { Ajv } from 'ajv'
import formatsPlugin from 'ajv-formats'

// Their types describe documents, and know nothing of the schemas that are there.
const { jsonSchema } = ofJsonSchema as unknown as { jsonSchema: object & { $id: string } }
const { openrpcDocument } = ofOpenRpc as unknown as { openrpcDocument: object }

/** OpenRPC's own schema of its documents, with that of the JSON Schemas in them. */
const openRpc = new Ajv({ strict: false, allErrors: true, validateSchema: false })
formatsPlugin.default(openRpc)
openRpc.addSchema(jsonSchema)
// OpenRPC calls it by this name, too.
openRpc.addSchema({ $id: jsonSchema.$id.replace(/\/$/, ''), $ref: jsonSchema.$id })
const validateDocument = openRpc.compile(openrpcDocument)

/** @returns what OpenRPC complains of in a document. */
export function complaints(document: unknown): unknown[] {
  validateDocument(document)
  return validateDocument.errors ?? []
}

/**
 * @returns whether a value fits a schema of a document.
 * @param place its JSON pointer there, such as `/methods/0/result/schema`.
 */
export function fits(document: object, place: string, value: unknown): boolean {
  const ajv = new Ajv({ strict: false, validateFormats: false })
  ajv.addSchema({ ...document, $id: 'document:/' }, 'document:/', false, false)
  const validate = ajv.getSchema(`document:/#${place}`)
  if (!validate) throw new Error(`The document has no schema at ${place}`)
  return validate(value) === true
}
