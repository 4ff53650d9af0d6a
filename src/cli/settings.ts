/**
 * The settings of the proxy: what stands in the TOML file, checked, with defaults filled in.
 * An unknown key is an error that names it, its line and the nearest known one.
 */

import { z } from 'zod'
import { parse as parseToml, TomlError } from 'smol-toml'
import { ConfigError } from '../base/errors.ts'
import { isHttpUrl, suggestUrl } from './location.ts'
import { requireSameIndex } from './other-index.ts'
import { describeSettingsProblem } from './settings-problem.ts'
import { parseDuration, parseSize } from './units.ts'

const duration = (fallback: string) =>
  z
    .string({ error: 'expected a duration such as "60s", "5 min", "24h" or "3d"' })
    .default(fallback)
    .transform((text, context) => {
      const value = parseDuration(text)
      if (value !== undefined) return value
      context.addIssue(`"${text}" is not a duration such as "60s", "5 min", "24h" or "3d"`)
      return z.NEVER
    })

const size = (fallback: string) =>
  z
    .string({ error: 'expected a size such as "512 kB" or "16 MiB"' })
    .default(fallback)
    .transform((text, context) => {
      const value = parseSize(text)
      if (value !== undefined) return value
      context.addIssue(`"${text}" is not a size such as "512 kB" or "16 MiB"`)
      return z.NEVER
    })

const httpUrl = z.string().superRefine((text, context) => {
  const url = isHttpUrl(text) ? URL.parse(text) : null
  if (url !== null && url.username + url.password + url.search === '') return
  const guess = url?.username ? 'They belong into the setting credentials' : suggestUrl(text)
  context.addIssue(
    `expected an http or https URL without user name, password or query${guess === undefined ? '' : `. ${guess}`}`,
  )
})

const hostName = z
  .string()
  .regex(
    /^[a-z0-9.-]+(?::\d{1,5})?$|^\[[0-9a-f:]+\](?::\d{1,5})?$/,
    'expected a host in lower case',
  )

const projectPattern = z
  .string()
  .regex(
    /^[a-z0-9*](?:[a-z0-9*-]*[a-z0-9*])?$/,
    'expected a normalized project name, which may have *',
  )

/** `host`, `host:port` or `*.domain`; without a port: 80 and 443. */
const hostPattern = z
  .string()
  .regex(
    /^(?:\*\.)?[a-z0-9.-]+(?::\d{1,5})?$|^\[[0-9a-f:]+\](?::\d{1,5})?$/,
    'expected a host in lower case, which may begin with "*."',
  )

/** Where the user name and password of an index are; never themselves. */
export const credentialsSource = z
  .string()
  .regex(
    /^(?:netrc|netrc:.+|env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/,
    'expected "netrc", "netrc:FILE", "env:NAME" or "file:FILE"; the file or variable holds USER:PASSWORD',
  )

/** Without a mirror: the embedded notary (trust on first use). */
const indexSchema = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected letters, digits, - and _'),
  url: httpUrl,
  mirror: z.array(z.string().min(1)).min(1, 'expected at least one mirror').optional(),
  root: z.string().min(1).optional(),
  floor: z.string().min(1).optional(),
  pins: z.string().min(1).optional(),
  'file-hosts': z.array(hostName).optional(),
  credentials: credentialsSource.optional(),
  'require-signed-files': z.boolean().default(false),
  projects: z.array(projectPattern).optional(),
  'record-path': z
    .string()
    .refine(
      (path) => path.split('{project}').length === 2,
      'expected {project} to stand in it once',
    )
    .default('simple/{project}/index.json'),
})

/** A mirror is nothing without its root, and a root nothing without its mirror. */
const checkedIndexSchema = indexSchema.superRefine(({ mirror, root, ...index }, context) => {
  if (index['require-signed-files'] && mirror === undefined) {
    const message = 'there is no mirror that could sign them'
    context.addIssue({ code: 'custom', path: ['require-signed-files'], message })
  }
  if (index.floor !== undefined && mirror === undefined) {
    const message = 'there is no mirror whose lists it could be a floor of'
    context.addIssue({ code: 'custom', path: ['floor'], message })
  }
  if ((mirror === undefined) === (root === undefined)) return
  const missing = mirror === undefined ? 'mirror' : 'root'
  context.addIssue({ code: 'custom', path: [missing], message: 'it is missing' })
})

const policySchema = z.strictObject({
  deny: z.array(z.string()).default([]),
  'min-age': duration('0s'),
  except: z.array(z.string()).default([]),
  'show-hidden': z.boolean().default(false),
  'core-metadata': z.boolean().default(true),
})

/** What a client may reach that uses the proxy as an HTTP proxy; the hosts of indexes are verified. */
const forwardSchema = z.strictObject({
  allow: z.array(hostPattern).default([]),
  'remote-clients': z.boolean().default(false),
})

/** TLS to the hosts of indexes is ended here, with certificates of a local authority. */
const interceptSchema = z.strictObject({ enabled: z.boolean().default(false) })

const limitsSchema = z.strictObject({
  root: size('512 kB'),
  timestamp: size('16 kB'),
  snapshot: size('8 MB'),
  targets: size('8 MB'),
  record: size('64 MB'),
  file: size('5 GiB'),
  'unsized-file': size('1 GiB'),
  'metadata-file': size('16 MiB'),
  'root-updates': z.int().min(1).max(1024).default(256),
  delegations: z.int().min(1).max(1024).default(32),
  'min-rate': size('8 kB'),
  'min-rate-over': duration('10s'),
  connect: duration('10s'),
  idle: duration('30s'),
  redirects: z.int().min(0).max(20).default(5),
  connections: z.int().min(1).max(10_000).default(128),
  'header-time': duration('10s'),
  'request-line': size('8 kB'),
  downloads: z.int().min(1).max(256).default(16),
})

const settingsSchema = z.strictObject({
  listen: z.array(z.string()).min(1).default(['127.0.0.1:8642', '[::1]:8642']),
  hosts: z.array(hostName).default([]),
  'state-dir': z.string().min(1).optional(),
  'log-level': z.enum(['debug', 'info', 'warning', 'error']).default('info'),
  refresh: duration('60s'),
  'max-unseen': duration('48h'),
  'hold-for': duration('8s'),
  index: z.array(checkedIndexSchema).default([]),
  forward: forwardSchema.prefault({}),
  intercept: interceptSchema.prefault({}),
  policy: policySchema.prefault({}),
  vault: z.strictObject({ 'max-size': size('20 GiB') }).prefault({}),
  audit: z.strictObject({ 'max-file': size('64 MiB'), 'max-total': size('1 GiB') }).prefault({}),
  limits: limitsSchema.prefault({}),
})

export type Settings = z.output<typeof settingsSchema>
export type IndexSettings = z.output<typeof indexSchema>
/** An index whose pages a mirror has signed. */
export type MirroredIndexSettings = IndexSettings & {
  readonly mirror: readonly string[]
  readonly root: string
}
export type LogLevel = Settings['log-level']

/** What the command line may say instead of the file. */
export interface SettingsOverrides {
  readonly listen?: readonly string[]
  readonly index?: string
  readonly mirror?: readonly string[]
  readonly root?: string
  readonly floor?: string
  readonly pins?: string
  readonly stateDir?: string
  readonly logLevel?: string
  /** Nothing is fetched: `index` only says which addresses are meant. */
  readonly isIndexAddress?: boolean
}

/**
 * @param text the TOML document
 * @param source its name, for messages
 */
export function parseSettings(
  text: string,
  source: string,
  overrides: SettingsOverrides = {},
): Settings {
  const file = readToml(text, source)
  if (overrides.isIndexAddress !== true) {
    requireSameIndex(overrides, findFirstIndex(file['index']), source)
  }
  const raw = applyOverrides(file, overrides)
  const result = settingsSchema.safeParse(raw)
  if (!result.success) {
    const flags = findFlags(overrides)
    throw describeSettingsProblem(
      result.error,
      { source, text, raw, flags, example: 'proxy-config/tufgate.toml' },
      findKnownKeys,
    )
  }
  return requireIndexes(result.data, source)
}

export function readToml(text: string, source: string): Record<string, unknown> {
  try {
    return parseToml(text)
  } catch (error) {
    const line = error instanceof TomlError ? error.line : 1
    const problem = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
    throw new ConfigError(
      'CONFIG_INVALID',
      `${source}, line ${line}: ${problem}${isUnquoted(problem) ? ' (text needs quotes)' : ''}`,
      { cause: error },
    )
  }
}

/** What the parser says of `refresh = 60s` and of `root = /etc/1.root.json`. */
function isUnquoted(problem: string): boolean {
  return /illegal character in numeric literal|invalid value/.test(problem)
}

/** By the place in the settings that each one overrides. */
function findFlags(overrides: SettingsOverrides): ReadonlyMap<string, string> {
  const { listen, stateDir, logLevel, index, mirror, root, floor, pins } = overrides
  const given: readonly (readonly [place: string, flag: string, value: unknown])[] = [
    ['listen', '--listen', listen],
    ['state-dir', '--state-dir', stateDir],
    ['log-level', '--log-level', logLevel],
    ['index.0.url', '--index', index],
    ['index.0.mirror', '--mirror', mirror],
    ['index.0.root', '--root', root],
    ['index.0.floor', '--floor', floor],
    ['index.0.pins', '--pins', pins],
  ]
  return new Map(
    given.filter(([, , value]) => value !== undefined).map(([place, flag]) => [place, flag]),
  )
}

function applyOverrides(raw: Record<string, unknown>, overrides: SettingsOverrides): unknown {
  const { listen, stateDir, logLevel, index, mirror, root, floor, pins } = overrides
  const first = {
    ...(index !== undefined && { url: index }),
    ...(mirror !== undefined && { mirror }),
    ...(root !== undefined && { root }),
    ...(floor !== undefined && { floor }),
    ...(pins !== undefined && { pins }),
  }
  return {
    ...raw,
    ...(listen !== undefined && { listen }),
    ...(stateDir !== undefined && { 'state-dir': stateDir }),
    ...(logLevel !== undefined && { 'log-level': logLevel }),
    ...(Object.keys(first).length > 0 && { index: overrideFirst(raw['index'], first) }),
  }
}

function overrideFirst(raw: unknown, first: object): unknown {
  const rest: readonly unknown[] = Array.isArray(raw) ? raw.slice(1) : []
  return [{ ...(findFirstIndex(raw) ?? findDefaultBase(first)), ...first }, ...rest]
}

function findFirstIndex(raw: unknown): object | undefined {
  const head: unknown = Array.isArray(raw) ? raw[0] : undefined
  return typeof head === 'object' && head !== null ? head : undefined
}

/** Whoever has a mirror says of which index; without one it is the usual index. */
function findDefaultBase(first: object): object {
  return 'url' in first || 'mirror' in first || 'root' in first ? { name: 'default' } : usualIndex
}

export const usualIndex = { name: 'pypi', url: 'https://pypi.org/simple/' }

export function isMirrored(index: IndexSettings): index is MirroredIndexSettings {
  return index.mirror !== undefined && index.root !== undefined
}

function requireIndexes(settings: Settings, source: string): Settings {
  if (settings.index.length === 0) {
    return { ...settings, index: [indexSchema.parse(usualIndex)] }
  }
  const names = settings.index.map(({ name }) => name)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) {
    throw new ConfigError('CONFIG_INVALID', `${source}: two indexes are called "${twice}".`, {
      next: 'Give each [[index]] a name of its own.',
    })
  }
  return settings
}

function findKnownKeys(place: readonly string[]): string[] {
  const shapes = new Map<string, Record<string, unknown>>([
    ['', settingsSchema.shape],
    ['index', indexSchema.shape],
    ['policy', policySchema.shape],
    ['forward', forwardSchema.shape],
    ['intercept', interceptSchema.shape],
    ['limits', limitsSchema.shape],
    ['vault', { 'max-size': 0 }],
    ['audit', { 'max-file': 0, 'max-total': 0 }],
  ])
  return Object.keys(shapes.get(place[0] ?? '') ?? {})
}
