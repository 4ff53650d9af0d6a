import { describeClient } from './describe-client.ts'
import { pipenv } from './pipenv-client.ts'

describeClient(pipenv, 'http-proxy')
