/** The program as it is published: compiled, in a folder of its own, with the checkout's packages. */

import { copyFile, cp, mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from '../../test/support/program.ts'
import { checkout } from './machine.ts'

/** Gives the path of the program. */
export async function buildPackage(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true })
  const compiler = join(checkout, 'node_modules', '.bin', 'tsc')
  const output = join(folder, 'dist')
  // Types are checked by `npm run types`; here only what runs is wanted.
  const settings = ['-p', join(checkout, 'tsconfig.build.json'), '--noCheck', '--outDir', output]
  const { code, stdout } = await runCommand(compiler, settings)
  if (code !== 0) throw new Error(`the program does not compile: ${stdout}`)
  await cp(join(checkout, 'bin'), join(folder, 'bin'), { recursive: true })
  await copyFile(join(checkout, 'package.json'), join(folder, 'package.json'))
  await symlink(join(checkout, 'node_modules'), join(folder, 'node_modules'))
  return join(folder, 'bin', 'tufgate.js')
}
