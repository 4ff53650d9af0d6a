/** Honest packages, and evil ones of the same length that are known by what they leave behind. */

import { buildWheel, type Wheel, type WheelContent } from '../../test/support/build-wheel.ts'

/** Stands in every evil module, and nowhere else. */
export const evilMark = 'evil was here'
export const evilCode = `"""${evilMark}"""\nraise SystemExit("${evilMark}")  # when it is imported\n`
/** The file that evil code writes into the home folder of whoever runs it. */
export const evilFile = 'evil-ran'
/** A setup.py, which pip runs before anything is installed. */
export const evilSetup = `import os; open(os.path.expanduser("~/${evilFile}"), "w").close()  # ${evilMark}`

export function buildGenuine(
  name: string,
  version: string,
  content: Partial<WheelContent> = {},
): Wheel {
  return buildWheel({ name, version, code: '# genuine'.padEnd(evilCode.length), ...content })
}

/** As long as the genuine one. */
export function buildEvil(
  name: string,
  version: string,
  content: Partial<WheelContent> = {},
): Wheel {
  return buildWheel({ name, version, code: evilCode, ...content })
}
