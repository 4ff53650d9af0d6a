import { describeClient } from './describe-client.ts'
import { poetry } from './poetry-client.ts'

describeClient(poetry, 'http-proxy')
