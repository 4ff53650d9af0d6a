/**
 * The program in a few files, once for all the processes of all the tests: it starts in two thirds of the
 * time that its sources take. Built again when a source has changed.
 */

import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, glob, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { builtProgram, compileCache } from './program.ts'

const root = join(import.meta.dirname, '..', '..')
/** Two below the root, as `src/cli` is: the program reads its version in `../../package.json`. */
const parent = join(root, 'node_modules')
const prefix = '.tufgate-built-'
const keptMs = 60 * 60 * 1000

/** Called before anything is started: the variable is inherited by workers of vitest, and read by all. */
export async function setup(): Promise<void> {
  const folder = join(parent, `${prefix}${await hashSources()}`)
  if (!existsSync(folder)) await build(folder)
  process.env[builtProgram] = join(folder, 'main.js')
  // For processes that a test starts in its own way.
  process.env['NODE_COMPILE_CACHE'] = compileCache
  await removeOld(folder)
}

/** Of their names, sizes and times: whoever edits one changes them. */
async function hashSources(): Promise<string> {
  const names = ['package-lock.json']
  for await (const name of glob('src/**/*.ts', { cwd: root })) names.push(name)
  const hash = createHash('sha256').update(process.version)
  for (const name of names.toSorted()) {
    const { size, mtimeMs } = await stat(join(root, name))
    hash.update(`${name} ${size} ${mtimeMs}\n`)
  }
  return hash.digest('hex').slice(0, 16)
}

/** Elsewhere first: another run may look for it meanwhile. */
async function build(folder: string): Promise<void> {
  const { rolldown } = await import('rolldown')
  const making = await mkdtemp(`${folder}-`)
  const built = await rolldown({ input: join(root, 'src', 'main.ts'), platform: 'node' })
  await built.write({ dir: making, format: 'esm' })
  await built.close()
  // Some processes of tests run as another user.
  await chmod(making, 0o755)
  await rename(making, folder).catch(async (error: unknown) => {
    if (!existsSync(folder)) throw error
    // Another run was faster: it is as good.
    await rm(making, { recursive: true })
  })
}

/** Not at once: other runs may use them. */
async function removeOld(current: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const folder = join(parent, name)
    if (!name.startsWith(prefix) || folder === current) continue
    const { mtimeMs } = await stat(folder)
    if (Date.now() - mtimeMs > keptMs) await rm(folder, { recursive: true, force: true })
  }
}
