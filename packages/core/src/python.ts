export { type PythonDialectOptions, pythonDialect } from './transport/python/python-dialect.js'
