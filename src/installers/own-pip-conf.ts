/**
 * A pip.conf for one command: what the user's own files say, without what leads past the proxy. pip goes
 * on to read those of the machine and of the virtual environment, so each key that leads past it stands
 * here too, empty: pip takes that for "not set", in each of its sections.
 */

import { ConfigError } from '../base/errors.ts'
import { isPastPip, pastPipKeys, type LeftOut } from './past-proxy.ts'
import { parsePipConf, type PipSetting } from './pip-conf.ts'
import type { PipFile } from './pip-files.ts'

export interface PipText extends PipFile {
  readonly text: string
  /** Not read by pip before, but with a file of its own it is: nothing of it may count. */
  readonly isUnwanted?: boolean
}

export interface OwnPipConf {
  readonly text: string
  readonly leftOut: readonly LeftOut[]
  /** pip would have stopped at them. */
  readonly unreadable: readonly { readonly path: string; readonly problem: string }[]
}

/** The commands that take any of the keys. */
const commands = [
  'download',
  'freeze',
  'index',
  'install',
  'list',
  'lock',
  'search',
  'uninstall',
  'wheel',
] as const

/** What pip calls its variables: in a file too this goes before the section of a command. */
const variables = ':env:'

type Values = Map<string, string>

/** @param files in the order in which they override each other */
export function buildOwnPipConf(files: readonly PipText[], indexUrl: string): OwnPipConf {
  const own = new Draft()
  const unreadable: { path: string; problem: string }[] = []
  for (const file of files) {
    try {
      for (const setting of parsePipConf(file.text)) own.take(file, setting)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      unreadable.push({ path: file.path, problem: error.message })
    }
  }
  return { text: renderSections(own.sections, indexUrl), leftOut: own.leftOut, unreadable }
}

class Draft {
  readonly leftOut: LeftOut[] = []
  readonly sections = new Map<string, Values>()

  constructor() {
    for (const section of ['global', ...commands, variables]) this.sections.set(section, new Map())
  }

  take({ path, isUnwanted = false }: PipText, setting: PipSetting): void {
    const { section, key, value, line } = setting
    const isPast = isPastPip(key, value)
    // An empty one is "not set" to pip.
    if (isPast && !isUnwanted && value.trim() !== '')
      this.leftOut.push({ name: key, place: path, line })
    if (!isRenderable(setting)) return
    const values = this.sections.get(section) ?? new Map<string, string>()
    values.set(key, isPast || isUnwanted ? '' : value)
    this.sections.set(section, values)
  }
}

function renderSections(sections: ReadonlyMap<string, Values>, indexUrl: string): string {
  return Array.from(sections, ([section, values]) => {
    const all = new Map(values)
    for (const key of pastPipKeys) all.set(key, '')
    // Here too: with --isolated pip reads no variable, but it reads this file.
    all.set('index-url', indexUrl)
    const lines = Array.from(all, ([key, value]) => `${key} = ${value.replaceAll('\n', '\n    ')}`)
    return `[${section}]\n${lines.join('\n')}\n`
  }).join('\n')
}

/** Sections and keys of other shapes are none of pip's, and could be read as something else. */
function isRenderable({ section, key }: PipSetting): boolean {
  return (section === variables || /^[a-z-]+$/.test(section)) && /^[a-z0-9-]+$/.test(key)
}
