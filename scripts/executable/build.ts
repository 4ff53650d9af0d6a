/**
 * dist-executable/tufgate: this program and Node.js in one file, for machines that have neither. The
 * sources become one script, which Node.js carries in itself (single executable applications).
 */

import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { rolldown, type Plugin } from 'rolldown'

const root = join(import.meta.dirname, '..', '..')
const folder = join(root, 'dist-executable')
const script = join(folder, 'tufgate.cjs')
const blob = join(folder, 'tufgate.blob')
const executable = join(folder, 'tufgate')
const postject = join(root, 'node_modules/postject/dist/cli.js')

/** Beside an executable lies no package.json: its text goes into the script. */
const inlineVersion: Plugin = {
  name: 'inline-version',
  transform(code, id) {
    if (!id.endsWith('/src/cli/version.ts')) return undefined
    const read = "readFileSync(new URL('../../package.json', import.meta.url), 'utf8')"
    if (!code.includes(read)) throw new Error(`${id} reads its version in another way now`)
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      readonly version: string
    }
    return code.replace(read, () => JSON.stringify(JSON.stringify({ version })))
  },
}

/** The files that stand in the script. */
async function bundle(): Promise<readonly string[]> {
  const built = await rolldown({
    input: join(import.meta.dirname, 'entry.ts'),
    platform: 'node',
    plugins: [inlineVersion],
    onLog(level, log) {
      // What is left out of the bundle would be looked for on the machine of the user.
      if (level === 'warn' && log.code !== 'EVAL') throw new Error(log.message)
    },
  })
  const options = { file: script, format: 'cjs', codeSplitting: false, minify: true } as const
  const { output } = await built.write(options)
  await built.close()
  return output.flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []))
}

/** Who hands on a program hands on the licences of all that is in it. */
function writeLicences(files: readonly string[]): void {
  const packages = files.flatMap(
    (file) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0] ?? [],
  )
  const texts = [...new Set(packages)].toSorted().map((place) => {
    const text = findLicence(place)
    if (text === undefined) throw new Error(`${place} has no licence`)
    return renderLicence(place.split('/node_modules/').at(-1) ?? place, text)
  })
  // One that came with a system has its licence elsewhere.
  const node = findLicence(join(process.execPath, '..', '..'))
  texts.unshift(
    renderLicence('tufgate', findLicence(root) ?? ''),
    renderLicence('Node.js', node ?? 'https://github.com/nodejs/node/blob/main/LICENSE\n'),
  )
  writeFileSync(join(folder, 'LICENCES.txt'), texts.join('\n'))
}

function findLicence(place: string): string | undefined {
  const name = readdirSync(place).find((one) => /^licen[cs]e/i.test(one))
  return name === undefined ? undefined : readFileSync(join(place, name), 'utf8')
}

function renderLicence(title: string, text: string): string {
  return `${title}\n${'='.repeat(title.length)}\n\n${text}\n`
}

function writeBlob(): void {
  const config = join(folder, 'sea-config.json')
  writeFileSync(
    config,
    JSON.stringify({
      main: script,
      output: blob,
      disableExperimentalSEAWarning: true,
      useCodeCache: true,
      // NODE_OPTIONS of the user's own programs is not for this one.
      execArgvExtension: 'cli',
    }),
  )
  execFileSync(process.execPath, ['--experimental-sea-config', config], { stdio: 'pipe' })
}

function writeExecutable(): void {
  // Another file: one that runs just now cannot be written to.
  rmSync(executable, { force: true })
  copyFileSync(process.execPath, executable)
  chmodSync(executable, 0o755)
  const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'
  const args = [postject, executable, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', fuse]
  // It warns of notes in the file of Node.js which nobody needs; where it fails they are shown.
  execFileSync(process.execPath, args, { stdio: 'pipe' })
}

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder)
writeLicences(await bundle())
writeBlob()
writeExecutable()
const megabytes = (path: string): string => `${(statSync(path).size / 1e6).toFixed(1)} MB`
process.stdout.write(
  `${executable}: ${megabytes(executable)}, of which ours ${megabytes(script)}\n`,
)
