export { pythonDialect } from './transport/python-dialect.js'
