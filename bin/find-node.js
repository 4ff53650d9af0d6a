// Finds a Node.js that tufgate can run on: this one, or the one that the checkout brings along.
// The floor is exact for a reason: before 24.19 and 26.5 crypto.verify accepts small-order
// Ed25519 keys, for which any signature verifies.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** @param {string} version as process.versions.node gives it */
export function isSupported(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return (major === 24 && minor >= 19) || (major === 26 && minor >= 5) || major > 26
}

/**
 * The path of a Node.js executable that is new enough; ends the process with a message where
 * there is none.
 * @param {string} root the checkout, or the installed package
 */
export function findNode(root) {
  if (isSupported(process.versions.node)) return process.execPath
  const name = `node-${process.platform}-${process.arch}`
  const own = join(root, 'node_modules', name, 'bin', 'node')
  if (existsSync(own)) {
    const version =
      spawnSync(own, ['-p', 'process.versions.node'], { encoding: 'utf8' }).stdout ?? ''
    if (isSupported(version.trim())) return own
  }
  process.stderr.write(describeOldNode(root, process.versions.node))
  process.exit(1)
}

/**
 * A checkout brings a Node.js along, where npm has one for the machine; the package of npm does not.
 * @param {string} root
 * @param {string} version
 */
export function describeOldNode(root, version) {
  const need = `tufgate: this is Node.js ${version}; tufgate needs 24.19 or newer (or 26.5 or newer).\n`
  if (!existsSync(join(root, 'src', 'main.ts'))) {
    return (
      `${need}Install a newer Node.js from https://nodejs.org and put it first on PATH. On a machine without one, take\n` +
      'the single file that "npm run executable" makes in a checkout of tufgate.\n'
    )
  }
  const name = `node-${process.platform}-${process.arch}`
  const own =
    process.platform === 'linux' && /^(?:x64|arm64)$/.test(process.arch)
      ? `The package ${name}, which brings one along, is not in ${join(root, 'node_modules')}: run "npm ci" in ${root}, or install\n`
      : 'For this machine the checkout brings none along: install\n'
  return `${need}${own}a newer Node.js from https://nodejs.org.\n`
}
