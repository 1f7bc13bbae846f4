import { memoryEngines } from '@flashrpc/core/cluster'
import { describeGroupCalls } from '../support/suite/describe-group-calls.js'

describeGroupCalls('memory', async () => memoryEngines())
