/** Ways past the proxy for a real pip, and what the doctor says of each. */

/** What is set, and where: files below the folder of the user. */
export interface Setup {
  readonly variables?: Readonly<Record<string, string>>
  readonly files?: Readonly<Record<string, string>>
}

export interface WayOut {
  readonly name: string
  readonly code: string
  /** Below the folder of the user, or the environment. */
  readonly place: string
  readonly line?: number
  readonly setup: Setup
  /** What the doctor says, done. */
  readonly mended: Setup
  readonly mend: string
  readonly wanted?: readonly string[]
}

/** `{other}` and `{ours}` stand for the two origins, `{file}` for the wheel of the other one. */
export const waysOut: readonly WayOut[] = [
  {
    name: 'a variable with a further index',
    code: 'extra-index',
    place: 'environment variables',
    setup: { variables: { PIP_EXTRA_INDEX_URL: '{other}/simple/' } },
    mend: 'unset PIP_EXTRA_INDEX_URL',
    mended: {},
  },
  {
    name: 'a variable with another index',
    code: 'other-local-address',
    place: 'environment variables',
    setup: { variables: { PIP_INDEX_URL: '{other}/simple/' } },
    mend: 'export PIP_INDEX_URL={ours}/simple/',
    mended: { variables: { PIP_INDEX_URL: '{ours}/simple/' } },
  },
  {
    name: 'an index in the pip.conf of the user',
    code: 'other-local-address',
    place: 'home/.config/pip/pip.conf',
    line: 2,
    setup: {
      variables: { PIP_INDEX_URL: '' },
      files: { 'home/.config/pip/pip.conf': '[global]\nindex-url = {other}/simple/\n' },
    },
    mend: 'write {ours}/simple/ in this line',
    mended: {
      variables: { PIP_INDEX_URL: '' },
      files: { 'home/.config/pip/pip.conf': '[global]\nindex-url = {ours}/simple/\n' },
    },
  },
  {
    name: 'a further index for one command in the old pip.conf',
    code: 'extra-index',
    place: 'home/.pip/pip.conf',
    line: 4,
    setup: {
      files: {
        'home/.pip/pip.conf':
          '[global]\ntimeout = 9\n[download]\nEXTRA_INDEX_URL={other}/simple/\n',
      },
    },
    mend: 'take it out;',
    mended: { files: { 'home/.pip/pip.conf': '[global]\ntimeout = 9\n[download]\n' } },
  },
  {
    name: 'files of a page of links',
    code: 'find-links',
    place: 'environment variables',
    setup: { variables: { PIP_FIND_LINKS: '{other}/links/' } },
    mend: 'unset PIP_FIND_LINKS',
    mended: {},
  },
  {
    name: 'an HTTP proxy in pip.conf, whatever NO_PROXY says',
    code: 'outgoing-proxy',
    place: 'home/.config/pip/pip.conf',
    line: 2,
    setup: {
      variables: { NO_PROXY: '127.0.0.1' },
      files: { 'home/.config/pip/pip.conf': '[global]\nproxy = {other}\n' },
    },
    mend: 'take this line out',
    mended: { files: { 'home/.config/pip/pip.conf': '[global]\n' } },
  },
  {
    name: 'an HTTP proxy for everything, without NO_PROXY',
    code: 'no-proxy-missing',
    place: 'environment variables',
    setup: { variables: { HTTP_PROXY: '{other}' } },
    mend: "export NO_PROXY='127.0.0.1,localhost,::1' no_proxy='127.0.0.1,localhost,::1'",
    mended: {
      variables: { HTTP_PROXY: '{other}', NO_PROXY: '127.0.0.1,localhost,::1' },
    },
  },
  {
    name: 'an index in a requirements file that another includes',
    code: 'extra-index',
    place: 'project/more/base.txt',
    line: 2,
    setup: {
      files: {
        'project/requirements.txt': '-r more/base.txt\n',
        'project/more/base.txt': 'e2e-greeting\n--extra-index {other}/simple/\n',
      },
    },
    mend: 'take it out;',
    mended: { files: { 'project/more/base.txt': 'e2e-greeting\n' } },
    wanted: ['-r', 'requirements.txt'],
  },
  {
    name: 'an index behind a separator that no editor shows as the end of a line',
    code: 'extra-index',
    place: 'project/requirements.txt',
    line: 1,
    setup: {
      files: {
        'project/requirements.txt': '# good\v--extra-index-url {other}/simple/\ne2e-greeting\n',
      },
    },
    mend: 'take it out;',
    mended: { files: { 'project/requirements.txt': 'e2e-greeting\n' } },
    wanted: ['-r', 'requirements.txt'],
  },
  {
    name: 'a requirement with an address of its own',
    code: 'direct-url',
    place: 'project/requirements.txt',
    line: 2,
    setup: {
      files: {
        'project/requirements.txt': '# 1\ne2e-greeting @ {other}/files/{file}\n',
      },
    },
    mend: 'name it by its version (name==1.2)',
    mended: { files: { 'project/requirements.txt': 'e2e-greeting==1.0\n' } },
    wanted: ['-r', 'requirements.txt'],
  },
  {
    name: 'a list of constraints that a variable names, on another server',
    code: 'direct-url',
    place: 'environment variables',
    setup: { variables: { PIP_CONSTRAINT: '{other}/links/' } },
    mend: 'unset PIP_CONSTRAINT',
    mended: {},
  },
]
