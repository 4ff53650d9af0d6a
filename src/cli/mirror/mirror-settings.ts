/**
 * The settings of a mirror: `mirror.toml` in its folder, checked, with defaults filled in. Where there
 * is none the defaults hold. An unknown key is an error that names it and the nearest known one.
 */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { changeKinds, defaultRemovalLimits, type RemovalLimits } from '../../mirror/change-kinds.ts'
import {
  defaultChangePolicy,
  type Answer,
  type ChangePolicy,
} from '../../mirror/mirror-settings.ts'
import { readSettingsText } from '../read-settings.ts'
import { describeSettingsProblem } from '../settings-problem.ts'
import { credentialsSource, readToml } from '../settings.ts'
import { parseDuration } from '../units.ts'

const mirrorSettingsName = 'mirror.toml'
const example = 'proxy-config/mirror.toml'

export interface MirrorSettings {
  /** As `syncMirror` takes them. */
  readonly sync: { readonly changePolicy: ChangePolicy; readonly removalLimits: RemovalLimits }
  readonly watch: WatchSettings
  /** Where the user name and password of the index are. */
  readonly credentials?: string
}

export interface WatchSettings {
  readonly syncEveryMs: number
  /** Left out: what suits the life of a timestamp. */
  readonly renewEveryMs?: number
  /** Every project that the index lists, not only those that are signed already. */
  readonly all: boolean
}

const answer = z.enum(['sign', 'warn', 'hold'], { error: 'expected "sign", "warn" or "hold"' })

/** Whatever is written here, another hash for a signed name is not signed. */
const conflictAnswer = z.enum(['warn', 'hold'], {
  error: 'expected "warn" or "hold": another hash for a signed file is never signed',
})

type AnswerSchema = z.ZodType<Answer, Answer | undefined>

const changesShape = Object.fromEntries(
  changeKinds.map((kind): [string, AnswerSchema] => {
    const isConflict = kind === 'hash-changed' || kind === 'another-spelling'
    const schema: z.ZodType<Answer, Answer> = isConflict ? conflictAnswer : answer
    return [kind, schema.default(defaultChangePolicy[kind])]
  }),
)

const percent = z
  .int('expected a whole number of percent')
  .min(0, 'expected 0 to 100')
  .max(100, 'expected 0 to 100')
const amount = z.int('expected a whole number').min(0, 'expected a whole number')

const removalsSchema = z.strictObject({
  files: amount.default(defaultRemovalLimits.files),
  'file-percent': percent.default(defaultRemovalLimits.fileShare * 100),
  projects: amount.default(defaultRemovalLimits.projects),
  'project-percent': percent.default(defaultRemovalLimits.projectShare * 100),
})

/** Rounds take a while and cost the index something. */
const minIntervalMs = 10_000
export const intervalWords = 'a duration of at least 10s, such as "10min" or "1h"'

/** `undefined` for what is none, or too short. */
export function parseInterval(raw: string): number | undefined {
  const duration = parseDuration(raw)
  return duration !== undefined && duration >= minIntervalMs ? duration : undefined
}

const interval = z.string({ error: `expected ${intervalWords}` }).transform((raw, context) => {
  const value = parseInterval(raw)
  if (value !== undefined) return value
  context.addIssue(`expected ${intervalWords}`)
  return z.NEVER
})

const watchSchema = z.strictObject({
  'sync-every': interval.prefault('10min'),
  'renew-every': interval.optional(),
  all: z.boolean({ error: 'expected true or false' }).default(false),
})

const mirrorSchema = z.strictObject({
  credentials: credentialsSource.optional(),
  changes: z.strictObject(changesShape).prefault({}),
  removals: removalsSchema.prefault({}),
  watch: watchSchema.prefault({}),
})

/** Read anew for each sync: it is edited while a mirror runs. Throws CONFIG_INVALID. */
export function readMirrorSettings(directory: string): MirrorSettings {
  const path = join(directory, mirrorSettingsName)
  const next = `${example} is a complete one.`
  return parseMirrorSettings(existsSync(path) ? readSettingsText(path, next) : '', path)
}

/** @param source its name, for messages */
export function parseMirrorSettings(text: string, source: string): MirrorSettings {
  const raw = readToml(text, source)
  const result = mirrorSchema.safeParse(raw)
  if (!result.success) {
    const document = { source, text, raw, flags: new Map<string, string>(), example }
    throw describeSettingsProblem(result.error, document, findKnownKeys)
  }
  const { changes, removals, watch, credentials } = result.data
  const renewEveryMs = watch['renew-every']
  return {
    sync: {
      changePolicy: { ...defaultChangePolicy, ...changes },
      removalLimits: {
        files: removals.files,
        fileShare: removals['file-percent'] / 100,
        projects: removals.projects,
        projectShare: removals['project-percent'] / 100,
      },
    },
    watch: {
      syncEveryMs: watch['sync-every'],
      ...(renewEveryMs !== undefined && { renewEveryMs }),
      all: watch.all,
    },
    ...(credentials !== undefined && { credentials }),
  }
}

function findKnownKeys(place: readonly string[]): string[] {
  const shapes = new Map<string, Record<string, unknown>>([
    ['', mirrorSchema.shape],
    ['changes', changesShape],
    ['removals', removalsSchema.shape],
    ['watch', watchSchema.shape],
  ])
  return Object.keys(shapes.get(place[0] ?? '') ?? {})
}
