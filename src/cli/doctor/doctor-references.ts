/** All that installers are told on this machine and in this project: files and variables into references. */

import { homedir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { existsSync } from 'node:fs'
import { DecodeError } from '../../base/decode.ts'
import type { Environment } from '../../base/environment.ts'
import { isTufgateError } from '../../base/errors.ts'
import type { Finding } from '../../doctor/finding.ts'
import type { InstallerUse, PlacedReference } from '../../doctor/judge-defaults.ts'
import { describeUnchecked } from '../../doctor/judge-state.ts'
import { environmentPlace } from '../../doctor/places.ts'
import { findLockInstaller, listLockAddresses } from '../../installers/lock-addresses.ts'
import { readPdmConfig } from '../../installers/pdm-settings.ts'
import { parsePipConf } from '../../installers/pip-conf.ts'
import { listPipFiles } from '../../installers/pip-files.ts'
import { readPipSettings } from '../../installers/pip-references.ts'
import { readPipfile } from '../../installers/pipenv-files.ts'
import { readPoetryConfig } from '../../installers/poetry-settings.ts'
import { findProjectInstallers, readPyproject } from '../../installers/pyproject.ts'
import type { Include, ReadSettings, Reference } from '../../installers/reference.ts'
import { parseRequirementsFile } from '../../installers/requirements-file.ts'
import { readSetupCfg } from '../../installers/setup-cfg.ts'
import { parseTomlFile, type TomlNode } from '../../installers/toml-node.ts'
import { readUvSettings } from '../../installers/uv-settings.ts'
import { readVariables } from '../../installers/variable-references.ts'
import {
  DoctorReader,
  listProjectFiles,
  type ProjectFile,
  type ProjectFileKind,
} from './doctor-files.ts'

export interface ReferenceOptions {
  readonly folder: string
  readonly environment: Environment
  /** Nobody's project: passed over. */
  readonly stateHome: string
  /** `sys.prefix` of each Python whose pip may be used. */
  readonly prefixes: readonly string[]
}

export interface FoundReferences {
  readonly references: readonly PlacedReference[]
  /** Of lock files, each by itself. */
  readonly locks: ReadonlyMap<string, readonly Reference[]>
  readonly findings: readonly Finding[]
  /** Installers that a file of the project is made for. */
  readonly uses: readonly InstallerUse[]
}

/** Files that include each other are followed so far. */
const maxIncludes = 500

type TomlReader = (file: TomlNode) => Reference[]

export function findReferences(options: ReferenceOptions): FoundReferences {
  const search = new ReferenceSearch(options)
  search.run()
  return search
}

/** What the files hold that a command line names, and what those name. */
export function followIncludes(
  includes: readonly Include[],
  place: string,
  options: ReferenceOptions,
): FoundReferences {
  const search = new ReferenceSearch(options)
  search.follow(includes, place)
  return search
}

/** Of one folder, and of none below it. */
export function findFolderReferences(options: ReferenceOptions): FoundReferences {
  const search = new ReferenceSearch(options)
  search.readFolder(0)
  return search
}

class ReferenceSearch implements FoundReferences {
  readonly references: PlacedReference[] = []
  readonly locks = new Map<string, readonly Reference[]>()
  readonly uses: InstallerUse[] = []
  readonly #options: ReferenceOptions
  readonly #reader = new DoctorReader()
  readonly #findings: Finding[] = []
  #includeCount = 0

  constructor(options: ReferenceOptions) {
    this.#options = options
  }

  get findings(): readonly Finding[] {
    return [...this.#findings, ...this.#reader.findings]
  }

  run(): void {
    this.#readEnvironment()
    this.#readPip()
    this.#readSettings()
    this.readFolder()
  }

  follow(includes: readonly Include[], place: string): void {
    this.#include(includes, place, this.#options.folder)
  }

  readFolder(depthLimit?: number): void {
    const { folder, stateHome } = this.#options
    const { files, findings } = listProjectFiles(folder, stateHome, depthLimit)
    this.#findings.push(...findings)
    for (const file of [...files, ...this.#listParents(files)]) this.#readProjectFile(file)
  }

  #readEnvironment(): void {
    const { environment, folder } = this.#options
    const read = readVariables(environment)
    this.#add(environmentPlace, read.references)
    this.#include(read.includes, environmentPlace, folder)
  }

  #readPip(): void {
    const { environment, prefixes } = this.#options
    const context = {
      environment,
      home: this.#home,
      prefixes,
      isThere: existsSync,
      platform: process.platform,
    }
    for (const { path } of listPipFiles(context)) {
      this.#readWith(path, (text) => readPipSettings(parsePipConf(text)))
    }
    this.#readWith(join(this.#home, '.pydistutils.cfg'), (text) => readSetupCfg(text))
  }

  /** Of each user and of the machine. */
  #readSettings(): void {
    const { environment } = this.#options
    const user = environment['XDG_CONFIG_HOME'] || join(this.#home, '.config')
    const system = (environment['XDG_CONFIG_DIRS'] || '/etc/xdg').split(':').filter(Boolean)
    const folders = [user, ...system]
    const uvFiles = environment['UV_CONFIG_FILE']
      ? [environment['UV_CONFIG_FILE']]
      : [...folders.map((folder) => join(folder, 'uv/uv.toml')), '/etc/uv/uv.toml']
    if (!isOn(environment['UV_NO_CONFIG'])) {
      for (const path of uvFiles) this.#readToml(path, (file) => readUvSettings(file, ''))
    }
    const pdmUser = environment['PDM_CONFIG_FILE'] || join(user, 'pdm/config.toml')
    for (const path of [pdmUser, ...system.map((folder) => join(folder, 'pdm/config.toml'))]) {
      this.#readToml(path, readPdmConfig)
    }
    const poetry = environment['POETRY_CONFIG_DIR'] || join(user, 'pypoetry')
    this.#readToml(join(poetry, 'config.toml'), readPoetryConfig)
  }

  get #home(): string {
    return this.#options.environment['HOME'] ?? homedir()
  }

  /** uv, poetry and pdm look for their files upwards, from where they are started. */
  #listParents(found: readonly ProjectFile[]): ProjectFile[] {
    const folder = resolve(this.#options.folder)
    const isProject = found.some(
      ({ path, kind }) => dirname(path) === folder && kind === 'pyproject',
    )
    if (isProject) return []
    const names: readonly (readonly [string, ProjectFileKind])[] = [
      ['pyproject.toml', 'pyproject'],
      ['uv.toml', 'uv'],
      ['Pipfile', 'pipfile'],
    ]
    for (let parent = dirname(folder); parent !== dirname(parent); parent = dirname(parent)) {
      const files = names
        .map(([name, kind]): ProjectFile => ({ path: join(parent, name), name, kind }))
        .filter(({ path }) => existsSync(path))
      if (files.length > 0) return files
    }
    return []
  }

  #readProjectFile(file: ProjectFile): void {
    const { path, kind } = file
    switch (kind) {
      case 'pyproject':
        return this.#readToml(path, (root) => {
          for (const installer of findProjectInstallers(root)) this.#use(installer, path)
          return readPyproject(root)
        })
      case 'uv':
        this.#use('uv', path)
        return this.#readToml(path, (root) => readUvSettings(root, ''))
      case 'pdm':
        this.#use('pdm', path)
        return this.#readToml(path, readPdmConfig)
      case 'poetry':
        this.#use('poetry', path)
        return this.#readToml(path, readPoetryConfig)
      case 'pipfile':
        this.#use('pipenv', path)
        return this.#readToml(path, readPipfile)
      case 'setup-cfg':
        return this.#readWith(path, (text) => readSetupCfg(text))
      case 'requirements':
        this.#use('pip', path)
        return this.#readWith(path, parseRequirementsFile)
      case 'lock':
        return this.#readLock(file)
    }
  }

  #readLock({ path, name }: ProjectFile): void {
    const text = this.#reader.read(path)
    const installer = findLockInstaller(name)
    if (text === undefined || installer === undefined) return
    this.#use(installer, path)
    this.locks.set(path, listLockAddresses(text, name))
  }

  #use(installer: InstallerUse['installer'], projectFile: string): void {
    if (this.uses.some((use) => use.installer === installer)) return
    this.uses.push({ installer, projectFile })
  }

  #add(place: string, references: readonly Reference[]): void {
    this.references.push(...references.map((reference) => ({ place, reference })))
  }

  #readToml(path: string, read: TomlReader): void {
    this.#readWith(path, (text) => read(parseTomlFile(text)))
  }

  #readWith(path: string, read: (text: string) => ReadSettings | Reference[]): void {
    const text = this.#reader.read(path)
    if (text === undefined) return
    try {
      const found = read(text)
      const { references, includes } = Array.isArray(found)
        ? { references: found, includes: [] }
        : found
      this.#add(path, references)
      this.#include(includes, path, dirname(path))
    } catch (error) {
      if (!(error instanceof DecodeError) && !isTufgateError(error)) throw error
      this.#findings.push(
        describeUnchecked(path, error.message, {
          mend: 'correct it, then run tufgate doctor again',
        }),
      )
    }
  }

  /** A file that was read already is passed over: they may include each other. */
  #include(includes: readonly Include[], place: string, folder: string): void {
    for (const { path, line } of includes) {
      this.#includeCount += 1
      if (this.#includeCount > maxIncludes) {
        if (this.#includeCount === maxIncludes + 1) {
          this.#findings.push(
            describeUnchecked(place, 'too many files include each other', { line }),
          )
        }
        return
      }
      const file = resolve(folder, path.replace(/^file:(?:\/\/)?/, ''))
      if (existsSync(file)) this.#readIncluded(file)
      else
        this.#findings.push(
          describeUnchecked(place, `${path}, which it names, is not there`, {
            line,
            mend: 'put it there, or take this line out',
          }),
        )
    }
  }

  /** uv and newer pips take more than requirements. */
  #readIncluded(path: string): void {
    const name = basename(path)
    if (name === 'pyproject.toml') return this.#readToml(path, readPyproject)
    if (findLockInstaller(name) !== undefined) return this.#readLock({ path, name, kind: 'lock' })
    // Of uv, which reads it in place of all its other settings.
    if (name.endsWith('.toml')) return this.#readToml(path, (file) => readUvSettings(file, ''))
    this.#readWith(path, parseRequirementsFile)
  }
}

function isOn(value: string | undefined): boolean {
  return /^(?:1|true|yes|on|y|t)$/i.test(value ?? '')
}
