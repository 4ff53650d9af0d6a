import { describeClient } from './describe-client.ts'
import { newerPip, pip } from './pip-client.ts'

describeClient(pip)
if (newerPip !== undefined) describeClient(newerPip)
