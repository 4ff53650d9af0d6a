/** uv.toml and `[tool.uv]`: indexes, find-links, proxies, and where single packages come from. */

import { referTo, type Place, type Reference } from './reference.ts'
import { listTargets } from './requirement-list.ts'
import type { TomlNode } from './toml-node.ts'

/** @param uv the file, or its table in pyproject.toml, which `name` is: `[tool.uv]`, or nothing */
export function readUvSettings(uv: TomlNode, name: string): Reference[] {
  const inTable = (key: string): string => (name === '' ? key : `${key} in ${name}`)
  return [
    ...uv
      .get('index')
      .items()
      .flatMap((index) => readIndex(index, inTable('index'))),
    ...readUrls(uv, inTable),
    ...readUrls(uv.get('pip'), (key) => inTable(`pip.${key}`)),
    ...uv
      .get('sources')
      .entries()
      .flatMap(([project, source]) =>
        source.items().flatMap((one) => readSource(one, inTable(`sources.${project}`))),
      ),
    ...listKeys.flatMap((key) => listTargets(uv.get(key), 'uv', inTable(key))),
  ]
}

const listKeys = [
  'constraint-dependencies',
  'override-dependencies',
  'build-constraint-dependencies',
  'dev-dependencies',
]

function readIndex(index: TomlNode, name: string): Reference[] {
  const url = index.get('url')
  const kind = index.get('default').isTrue ? 'index' : 'extra-index'
  return readOne(kind, url, name)
}

const urlKeys: readonly (readonly [key: string, kind: Reference['kind']])[] = [
  ['index-url', 'index'],
  ['extra-index-url', 'extra-index'],
  ['find-links', 'find-links'],
  ['http-proxy', 'proxy'],
  ['https-proxy', 'proxy'],
]

function readUrls(table: TomlNode, nameOf: (key: string) => string): Reference[] {
  const urls = urlKeys.flatMap(([key, kind]) =>
    table
      .get(key)
      .items()
      .flatMap((item) => readOne(kind, item, nameOf(key))),
  )
  const noIndex = table.get('no-index')
  const torch = table.get('torch-backend')
  return [
    ...urls,
    ...(noIndex.isTrue ? [refer('no-index', 'true', noIndex.line, nameOf('no-index'))] : []),
    // uv then asks an index of its own choice for PyTorch.
    ...(torch.isThere
      ? [refer('extra-index', torchIndex, torch.line, nameOf('torch-backend'))]
      : []),
  ]
}

export const torchIndex = 'https://download.pytorch.org/whl/'

/** An `index` names one that is listed elsewhere; a workspace is the user's own. */
function readSource(source: TomlNode, name: string): Reference[] {
  const place = (node: TomlNode): Place => ({ installer: 'uv', line: node.line, name })
  return ['git', 'url', 'path'].flatMap((key) => {
    const node = source.get(key)
    if (node.text === undefined) return []
    if (key === 'git') return [{ kind: 'repository', value: node.text, ...place(node) } as const]
    return [referTo(node.text, place(node))]
  })
}

function readOne(kind: Reference['kind'], { text, line }: TomlNode, name: string): Reference[] {
  return text === undefined ? [] : [refer(kind, text, line, name)]
}

function refer(kind: Reference['kind'], value: string, line: number, name: string): Reference {
  return { kind, installer: 'uv', value, line, name }
}
