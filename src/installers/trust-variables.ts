/**
 * Which environment variable tells which installer whose certificates to believe. Each of them takes the
 * place of the roots that it knows, so the file that they name must hold those too, not the local authority alone.
 */

export interface TrustVariable {
  readonly name: string
  /** For a person: the programs that look at it. */
  readonly readBy: string
}

/**
 * Left out on purpose: `SSL_CERT_DIR` (adds to the file, so it may stay as it is), poetry's and pdm's own settings
 * for one named source (both read the variables below when these are absent), `GIT_SSL_CAINFO` and
 * `CARGO_HTTP_CAINFO` (they reach hosts that are never intercepted), and `UV_NATIVE_TLS` or
 * `UV_SYSTEM_CERTS` (uv prefers `SSL_CERT_FILE`).
 */
export const trustVariables: readonly TrustVariable[] = [
  { name: 'PIP_CERT', readBy: 'pip, and the pip that pipenv, poetry and builds call' },
  {
    name: 'REQUESTS_CA_BUNDLE',
    readBy: 'poetry, pipenv, pdm before 2.13, and pip where PIP_CERT is not set',
  },
  { name: 'SSL_CERT_FILE', readBy: 'uv, pdm from 2.13 on, Python itself, OpenSSL' },
  { name: 'CURL_CA_BUNDLE', readBy: 'curl' },
]

/** @param bundlePath absolute, since installers change their folder */
export function buildTrustVariables(bundlePath: string): Readonly<Record<string, string>> {
  return Object.fromEntries(trustVariables.map(({ name }) => [name, bundlePath]))
}
