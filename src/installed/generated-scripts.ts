/**
 * The scripts that installers make from entry points: the same few lines for each, so that what stands
 * on disk can be compared with what the signed entry_points.txt gives.
 */

export interface EntryPoint {
  readonly module: string
  readonly attribute: string
}

/** `[console_scripts]` and `[gui_scripts]`, by the name of the script. */
export function parseScripts(text: string): ReadonlyMap<string, EntryPoint> {
  const scripts = new Map<string, EntryPoint>()
  let isScripts = false
  for (const line of text.split(/\r?\n/)) {
    const [, section] = /^\s*\[([^\]]*)\]\s*$/.exec(line) ?? []
    if (section !== undefined) isScripts = /^(?:console|gui)_scripts$/.test(section.trim())
    else if (isScripts) addScript(scripts, line)
  }
  return scripts
}

function addScript(scripts: Map<string, EntryPoint>, line: string): void {
  const equals = line.indexOf('=')
  const name = line.slice(0, Math.max(0, equals)).trim()
  if (!/^[^#;/\\][^/\\]*$/.test(name) || name === '.' || name === '..') return
  const [target = ''] = line.slice(equals + 1).split('[', 1)
  const [module = '', attribute = '', ...rest] = target.split(':').map((part) => part.trim())
  if (rest.length === 0 && isDotted(module) && isDotted(attribute))
    scripts.set(name, { module, attribute })
}

function isDotted(text: string): boolean {
  return /^\w+(?:\.\w+)*$/.test(text)
}

/** pip writes its own scripts, and those of easy_install, with the version of Python (pip: `wheel.py`). */
export function findScript(
  scripts: ReadonlyMap<string, EntryPoint>,
  name: string,
): EntryPoint | undefined {
  const known = scripts.get(name)
  if (known !== undefined) return known
  const [, base] = /^(pip|easy_install-?)(?:3(?:\.\d+)?)$/.exec(name) ?? []
  return base === undefined ? undefined : scripts.get(base.replace('-', ''))
}

/** As pip, distlib, installer (poetry, pdm) and uv write them, without the first line. */
export function renderScriptBodies({ module, attribute }: EntryPoint): readonly string[] {
  const [name = ''] = attribute.split('.')
  const load = `from ${module} import ${name}`
  const main = ["if __name__ == '__main__':", 'if __name__ == "__main__":'] as const
  const coding = '# -*- coding: utf-8 -*-'
  const exit = `    sys.exit(${attribute}())`
  const regular = String.raw`    sys.argv[0] = re.sub(r'(-script\.pyw|\.exe)?$', '', sys.argv[0])`
  const uv = [...renderCut('if', '"-script.pyw"', 11), ...renderCut('elif', '".exe"', 4)]
  const bodies = [
    [coding, 'import re', 'import sys', load, main[0], regular, exit],
    [coding, 'import re', 'import sys', main[0], `    ${load}`, regular, exit],
    [coding, 'import re', 'import sys', load, main[1], regular.replaceAll("'", '"'), exit],
    ['import sys', load, main[0], ...renderCut('if', "'.exe'", 4), exit],
    ['import sys', load, main[0], "    sys.argv[0] = sys.argv[0].removesuffix('.exe')", exit],
    [coding, 'import sys', load, main[1], ...uv, exit],
    ['import sys', load, main[1], ...uv, exit],
  ]
  return bodies.map((lines) => `${lines.join('\n')}\n`)
}

function renderCut(word: string, suffix: string, length: number): string[] {
  return [
    `    ${word} sys.argv[0].endswith(${suffix}):`,
    `        sys.argv[0] = sys.argv[0][:-${length}]`,
  ]
}

export interface SplitScript {
  /** Absolute; empty where it is looked for beside the script. */
  readonly interpreter: string
  readonly body: string
}

/** A first line that starts Python: plain, or by way of `/bin/sh` where the path is long. */
export function splitScript(text: string): SplitScript | undefined {
  const [plain, interpreter] = /^#!(\/[^\s'"]+)\n/.exec(text) ?? []
  if (plain !== undefined && interpreter !== '/bin/sh')
    return { interpreter: interpreter ?? '', body: text.slice(plain.length) }
  const [shell, quoted = ''] = /^#!\/bin\/sh\n'''exec' (.+) "\$0" "\$@"\n' '''\n/.exec(text) ?? []
  if (shell === undefined) return undefined
  const body = text.slice(shell.length)
  if (/^"\$\(dirname -- "\$\(realpath -- "\$0"\)"\)"\/'python[\d.]*'$/.test(quoted))
    return { interpreter: '', body }
  const [, single, double, bare] =
    /^(?:'(\/[^']+)'|"(\/[^"$`\\]+)"|(\/[\w./+-]+))$/.exec(quoted) ?? []
  const path = single ?? double ?? bare
  return path === undefined ? undefined : { interpreter: path, body }
}
