/** A list of requirements in a TOML file: what each of them names besides a project of an index. */

import type { Installer, Reference } from './reference.ts'
import { findTarget } from './requirement-text.ts'
import type { TomlNode } from './toml-node.ts'

/** @param name of the list, as somebody finds it */
export function listTargets(list: TomlNode, installer: Installer, name: string): Reference[] {
  return list.items().flatMap((item) => {
    // pdm marks what is editable as pip does on its command line.
    const text = (item.text ?? '').replace(/^-e\s+/, '')
    return findTarget(text, { installer, line: item.line, name }) ?? []
  })
}
