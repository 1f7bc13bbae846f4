import { memoryResultStore } from '@flashrpc/core/server'
import { describeResultStore } from './support/suite/describe-result-store.js'

describeResultStore('memoryResultStore', async () => memoryResultStore())
