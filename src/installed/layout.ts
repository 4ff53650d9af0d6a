/**
 * Where in a folder the parts of a wheel were put (sysconfig schemes): a virtual environment or another
 * prefix, or one folder for everything (`pip install --target`, a bare site-packages).
 */

import { normalizeName } from '../simple/names.ts'

export interface Layout {
  readonly kind: 'venv' | 'prefix' | 'folder'
  /** Relative to the root, '' for the root itself. */
  readonly sites: readonly string[]
  /** `3.11`; empty where nothing says it. */
  readonly python: string
}

export type Scheme = 'site' | 'scripts' | 'headers' | 'data'

/** `undefined` for a folder in which nothing can be installed. */
export function findLayout(paths: Iterable<string>): Layout | undefined {
  const sites = new Set<string>()
  let [isVenv, hasDistribution, headers] = [false, false, '']
  for (const path of paths) {
    isVenv ||= path === 'pyvenv.cfg'
    hasDistribution ||= /^[^/]+\.(?:dist|egg)-info(?:\/|$)/.test(path)
    const [, site] = /^(lib(?:64)?\/python3\.\d+\/(?:site|dist)-packages)\//.exec(path) ?? []
    if (site !== undefined) sites.add(site)
    if (path.startsWith('include/site/')) headers = path
  }
  const [first] = [...sites].toSorted()
  const python = /python(3\.\d+)/.exec(first ?? headers)?.[1] ?? ''
  if (isVenv || first !== undefined)
    return { kind: isVenv ? 'venv' : 'prefix', sites: [...sites].toSorted(), python }
  return hasDistribution ? { kind: 'folder', sites: [''], python } : undefined
}

/** Where it may be; the first is where it is expected. */
export function findPlaces(
  layout: Layout,
  { scheme, path }: { readonly scheme: Scheme; readonly path: string },
  distribution: { readonly name: string; readonly site: string },
): readonly string[] {
  if (scheme === 'site') return findSites(layout, distribution.site).map((site) => join(site, path))
  if (scheme === 'scripts') return [`bin/${path}`]
  if (scheme === 'data') return [path]
  const { name } = distribution
  const names = [...new Set([name, normalizeName(name), normalizeName(name).replaceAll('-', '_')])]
  return listHeaderFolders(layout).flatMap((folder) =>
    names.map((one) => `${folder}/${one}/${path}`),
  )
}

/** Pure and platform files may lie in two folders of the same Python. */
function findSites({ sites }: Layout, own: string): readonly string[] {
  const [, python] = /(python3\.\d+)/.exec(own) ?? []
  const others = sites.filter((site) => site !== own && site.includes(`/${python ?? '?'}/`))
  return [own, ...others]
}

/** With --target pip puts them where they are in the environment that it runs in. */
function listHeaderFolders({ kind, python }: Layout): readonly string[] {
  const ofVenv = `include/site/python${python}`
  if (kind === 'venv') return [ofVenv]
  return kind === 'prefix' ? [`include/python${python}`] : [ofVenv, 'include/python']
}

export function join(folder: string, path: string): string {
  return folder === '' ? path : `${folder}/${path}`
}
