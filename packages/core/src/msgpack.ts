// Ahead of the package that needs them.
import './wire/msgpack-globals.js'

export { msgpackCodec } from './wire/msgpack.js'
