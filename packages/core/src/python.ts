export { type PythonDialectOptions, pythonDialect } from './transport/python-dialect.js'
