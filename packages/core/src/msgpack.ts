// This import comes before the package that needs the globals.
import './wire/msgpack-globals.js'

export { msgpackCodec } from './wire/msgpack.js'
