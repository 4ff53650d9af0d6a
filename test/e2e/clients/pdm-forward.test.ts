import { describeClient } from './describe-client.ts'
import { pdm } from './pdm-client.ts'

describeClient(pdm, 'http-proxy')
