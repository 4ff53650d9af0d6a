/**
 * The settings of a mirror: `mirror.toml` in its folder, checked, with defaults filled in. Where there
 * is none the defaults hold. An unknown key is an error that names it and the nearest known one.
 */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { changeKinds, defaultRemovalLimits, type RemovalLimits } from '../mirror/change-kinds.ts'
import { defaultChangePolicy, type Answer, type ChangePolicy } from '../mirror/mirror-settings.ts'
import { readSettingsText } from './read-settings.ts'
import { describeSettingsProblem } from './settings-problem.ts'
import { readToml } from './settings.ts'

export const mirrorSettingsName = 'mirror.toml'
const example = 'proxy-config/mirror.toml'

/** As `syncMirror` and `syncOpened` take them. */
export interface MirrorSettings {
  readonly changePolicy: ChangePolicy
  readonly removalLimits: RemovalLimits
}

const answer = z.enum(['sign', 'warn', 'hold'], { error: 'expected "sign", "warn" or "hold"' })

/** Whatever is written here, another hash for a signed name is not signed. */
const conflictAnswer = z.enum(['warn', 'hold'], {
  error: 'expected "warn" or "hold": another hash for a signed file is never signed',
})

type AnswerSchema = z.ZodType<Answer, Answer | undefined>

const changesShape = Object.fromEntries(
  changeKinds.map((kind): [string, AnswerSchema] => {
    const schema: z.ZodType<Answer, Answer> = kind === 'hash-changed' ? conflictAnswer : answer
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

const mirrorSchema = z.strictObject({
  changes: z.strictObject(changesShape).prefault({}),
  removals: removalsSchema.prefault({}),
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
  const { changes, removals } = result.data
  return {
    changePolicy: { ...defaultChangePolicy, ...changes },
    removalLimits: {
      files: removals.files,
      fileShare: removals['file-percent'] / 100,
      projects: removals.projects,
      projectShare: removals['project-percent'] / 100,
    },
  }
}

function findKnownKeys(place: readonly string[]): string[] {
  const shapes = new Map<string, Record<string, unknown>>([
    ['', mirrorSchema.shape],
    ['changes', changesShape],
    ['removals', removalsSchema.shape],
  ])
  return Object.keys(shapes.get(place[0] ?? '') ?? {})
}
