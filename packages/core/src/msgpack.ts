export { msgpackCodec } from './wire/msgpack.js'
