import { describeClient } from './describe-client.ts'
import { pip } from './pip-client.ts'

describeClient(pip, 'http-proxy')
