import { readdirSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join, normalize } from 'node:path'
import { init, parse } from 'es-module-lexer'
import { beforeAll, describe, expect, test } from 'vitest'

/** Everything below the command line. */
const parts = [
  'base',
  'tuf',
  'simple',
  'policy',
  'audit',
  'store',
  'upstream',
  'client',
  'signing',
  'ca',
  'installers',
  'explain',
  'report',
  'doctor',
  'installed',
  'proxy',
  'mirror',
  'owner',
  'ceremony',
  'watch',
  'notary',
]

/** What each folder may import, itself apart. ARCHITECTURE.md quotes this table. */
const mayImport: ReadonlyMap<string, readonly string[]> = new Map([
  ['base', []],
  ['tuf', ['base']],
  ['simple', ['base']],
  ['audit', ['base']],
  ['policy', ['base', 'simple']],
  ['store', ['base', 'tuf', 'simple']],
  ['upstream', ['base', 'simple']],
  ['client', ['base', 'tuf', 'simple', 'policy', 'store', 'upstream']],
  ['signing', ['base', 'tuf', 'store']],
  ['ca', ['base', 'store', 'signing']],
  ['installers', ['base', 'simple']],
  ['explain', ['base', 'audit']],
  ['report', ['base', 'audit', 'explain']],
  ['doctor', ['base', 'simple', 'installers']],
  ['installed', ['base', 'simple']],
  ['proxy', ['base', 'tuf', 'simple', 'policy', 'audit', 'explain']],
  ['owner', ['base', 'tuf', 'simple', 'store', 'upstream', 'client', 'signing']],
  [
    'mirror',
    ['base', 'tuf', 'simple', 'policy', 'audit', 'store', 'upstream', 'client', 'signing', 'owner'],
  ],
  ['ceremony', ['base', 'tuf', 'store', 'signing', 'mirror']],
  ['watch', ['base', 'tuf', 'simple', 'store', 'upstream', 'client', 'signing', 'mirror']],
  [
    'notary',
    ['base', 'tuf', 'simple', 'policy', 'store', 'upstream', 'client', 'signing', 'mirror'],
  ],
  ['cli', parts],
  ['cli/log', [...parts, 'cli']],
  ['cli/ca', [...parts, 'cli']],
  ['cli/mirror', [...parts, 'cli']],
  ['cli/serve', [...parts, 'cli', 'cli/log', 'cli/ca']],
  ['cli/session', [...parts, 'cli', 'cli/serve', 'cli/ca', 'cli/doctor']],
  ['cli/notary', [...parts, 'cli', 'cli/serve']],
  ['cli/owner', [...parts, 'cli', 'cli/serve', 'cli/mirror']],
  ['cli/verify', [...parts, 'cli', 'cli/serve']],
  ['cli/doctor', [...parts, 'cli', 'cli/serve']],
  ['cli/trust', [...parts, 'cli', 'cli/serve']],
  [
    'cli/program',
    [
      'cli',
      'cli/log',
      'cli/ca',
      'cli/mirror',
      'cli/serve',
      'cli/session',
      'cli/notary',
      'cli/owner',
      'cli/verify',
      'cli/doctor',
      'cli/trust',
    ],
  ],
  ['.', ['cli/program']],
])

/** The places that may import each package, and each node module that has effects. */
const doors: ReadonlyMap<string, RegExp> = new Map([
  ['undici', /^upstream\//],
  ['commander', /^cli\/program\//],
  ['smol-toml', /^(?:cli|installers)\//],
  ['zod', /^cli\//],
  ['cli-progress', /^cli\//],
  ['@noble/ed25519', /^(?:tuf|signing)\//],
  ['@noble/hashes', /^(?:base|tuf|signing)\//],
  ['@peculiar/x509', /^ca\//],
  ['reflect-metadata', /^ca\//],
  ['prom-client', /^proxy\/metrics\.ts$/],
  ['http-proxy-3', /^upstream\//],
  ['node:crypto', /^(?:base\/digest\.ts|tuf\/signatures\.ts|signing\/.*|ca\/.*)$/],
  ['node:sqlite', /^store\/database\.ts$/],
  ['node:http', /^(?:proxy|upstream)\//],
  ['node:https', /^(?:proxy|upstream)\//],
  ['node:net', /^(?:proxy|upstream)\//],
  ['node:tls', /^(?:proxy|upstream|ca)\//],
  ['node:dns', /^upstream\//],
  ['node:child_process', /^(?:signing|cli)\//],
  ['node:fs', /^(?:store|audit|signing|cli)\//],
  ['node:fs/promises', /^(?:store|audit|signing|cli)\//],
  ['node:worker_threads', /^$/],
  ['node:vm', /^$/],
])

/** Globals that would go around a door; a call, and not a method that is declared. */
const forbiddenGlobals =
  /(?<![.\w#])(?:fetch|XMLHttpRequest|WebSocket|EventSource|eval)\s*\((?![^)]*\)\s*\{)/

/** Folders that are handed the time, and never ask for it. */
const clockless = /^(?:base|tuf|simple|policy|installers|explain|report)\//

const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
)

/** Type-only imports too: a type is a dependency. */
function findSpecifiers(source: string): string[] {
  const values = parse(stripTypeScriptTypes(source))[0]
    .filter(({ type }) => type !== 'import-meta')
    .map(({ specifier }) => specifier ?? '<computed>')
  const types = source.matchAll(/^(?:import|export)\s+type\b[^'"]*from\s*['"]([^'"]+)['"]/gm)
  return [...values, ...Array.from(types, ([, specifier = '']) => specifier)]
}

function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier
  const [scope = '', name = ''] = specifier.split('/')
  return scope.startsWith('@') ? `${scope}/${name}` : scope
}

beforeAll(async () => {
  await init()
})

describe.each(files)('src/%s', (file) => {
  const folder = dirname(file)
  const source = readFileSync(join('src', file), 'utf8')

  test('imports only what its folder may', () => {
    const allowed = mayImport.get(folder)
    expect(allowed, `src/${folder} has no row in the table`).toBeDefined()
    for (const specifier of findSpecifiers(source)) {
      expect(specifier, `${file} imports a computed name`).not.toBe('<computed>')
      if (specifier.startsWith('.')) {
        const target = dirname(normalize(join(folder, specifier)))
        if (target !== folder) expect(allowed, `${file} -> ${target}`).toContain(target)
      } else {
        const door = doors.get(packageOf(specifier))
        if (door !== undefined) expect(file, `${specifier} in ${file}`).toMatch(door)
      }
    }
  })

  test('uses no global that goes around a door, and no clock where none is allowed', () => {
    const code = stripTypeScriptTypes(source).replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
    expect(code).not.toMatch(forbiddenGlobals)
    if (clockless.test(file)) expect(code).not.toMatch(/Date\.now|performance\.now|new Date\(\)/)
  })

  test('asks for a module of Node.js by import, but for the server, whose import loads too much', () => {
    if (file !== 'proxy/server.ts') expect(source).not.toContain('getBuiltinModule')
  })

  test('has at most 400 lines', () => {
    expect(source.split('\n').length).toBeLessThanOrEqual(400)
  })
})
