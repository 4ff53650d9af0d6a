import { describe, expect, test } from 'vitest'
import { findNetrcEntry, parseNetrc } from '../../src/installers/netrc.ts'

describe('a netrc file', () => {
  test('is machines with logins and passwords, on one line or on several', () => {
    const text =
      'machine a.example login ann password s3cret\nmachine b.example\n\tlogin bob\n\taccount x\n\tpassword pw\n'
    expect(parseNetrc(text)).toEqual([
      { machine: 'a.example', login: 'ann', password: 's3cret' },
      { machine: 'b.example', login: 'bob', password: 'pw' },
    ])
  })

  test('may have quotes, backslashes, colons and letters beyond ASCII in values', () => {
    const text =
      'machine a.example user "ann lee" password "pä ss:\\"wörd#"\nmachine b login c password a\\ b\n'
    expect(parseNetrc(text)).toEqual([
      { machine: 'a.example', login: 'ann lee', password: 'pä ss:"wörd#' },
      { machine: 'b', login: 'c', password: 'a b' },
    ])
  })

  test('may have comments, and a password that begins like one', () => {
    const text =
      '# machine evil login x password y\nmachine a # the index\n  login ann\n  password #1\n#machine b\n'
    expect(parseNetrc(text)).toEqual([{ machine: 'a', login: 'ann', password: '#1' }])
  })

  test('has macros, which are passed over up to an empty line, whatever stands in them', () => {
    const text =
      'macdef init\nmachine evil login x password y\n\nmachine a login ann password b\nmacdef last\nquit'
    expect(parseNetrc(text)).toEqual([{ machine: 'a', login: 'ann', password: 'b' }])
  })

  test('is read with the line ends of Windows, and may be empty', () => {
    expect(parseNetrc('machine a\r\nlogin b\r\npassword c\r\n')).toEqual([
      { machine: 'a', login: 'b', password: 'c' },
    ])
    expect(parseNetrc('')).toEqual([])
  })

  test('needs no login, as with some tokens', () => {
    expect(parseNetrc('default password token')).toEqual([
      { machine: undefined, login: '', password: 'token' },
    ])
  })

  test.each([
    ['machine a login hunter2', 'line 1: this entry has no password'],
    ['machine a login b password', 'line 1: the file ends where a value should stand'],
    ['\nmachine a login b password my hunter2 x', 'line 2: expected login, account or password'],
    ['hunter2', 'line 1: expected machine, default or macdef'],
    ['machine a login b\npassword "hunter2\n', 'line 3: a quote is not closed'],
  ])('%j is refused by its line, and not quoted', (text, message) => {
    expect(() => parseNetrc(text)).toThrow(message)
    expect(message).not.toContain('hunter2')
  })
})

describe('the entry of a host', () => {
  const entries = parseNetrc(
    'default login d password d\nmachine A.example login 1 password 1\nmachine a.example login 2 password 2\n',
  )

  test('is the last one that names it, as pip takes it', () => {
    expect(findNetrcEntry(entries, 'a.EXAMPLE')).toMatchObject({ login: '2' })
  })

  test('is the default where none names it, wherever that stands', () => {
    expect(findNetrcEntry(entries, 'b.example')).toMatchObject({ login: 'd' })
  })

  test('of a host that merely ends or begins alike is another one', () => {
    const [, ...named] = entries
    expect(findNetrcEntry(named, 'evil-a.example')).toBeUndefined()
    expect(findNetrcEntry(named, 'a.example.evil')).toBeUndefined()
  })
})
