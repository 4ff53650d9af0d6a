import { expect, test } from 'vitest'
import { buildTrustVariables } from '../../src/installers/trust-variables.ts'

test('names one file in each variable that an installer reads', () => {
  expect(buildTrustVariables('/tmp/bundle.pem')).toEqual({
    PIP_CERT: '/tmp/bundle.pem',
    REQUESTS_CA_BUNDLE: '/tmp/bundle.pem',
    SSL_CERT_FILE: '/tmp/bundle.pem',
    CURL_CA_BUNDLE: '/tmp/bundle.pem',
  })
})
