/** The options of each installer that say where packages come from, or take a value that is no package. */

import type { InstallerProgram } from './command-program.ts'
import type { OptionTable, OptionUse } from './option-words.ts'

type Kind = OptionUse['kind']

interface Draft {
  readonly isShortened?: true
  /** `-i --index-url`: all names of one thing, by what they are. */
  readonly valued: readonly (readonly [kind: Kind, names: string])[]
  readonly switches?: readonly (readonly [kind: Kind, names: string])[]
}

const pip: Draft = {
  isShortened: true,
  valued: [
    ['index', '-i --index-url'],
    ['index', '--pypi-url'],
    ['extra-index', '--extra-index-url'],
    ['find-links', '-f --find-links'],
    ['proxy', '--proxy'],
    ['trusted-host', '--trusted-host'],
    ['include', '-r --requirement'],
    ['include', '-c --constraint'],
    ['include', '--build-constraint'],
    ['editable', '-e --editable'],
    ...others(`-t --target|-d --dest|-w --wheel-dir|-o --output|-C --config-settings|--abi
      --all-releases --build-option --cache-dir --cert --client-cert --default-timeout
      --destination-directory --exists-action --global-option --group --hash --implementation
      --install-option --keyring-provider --log --log-file --local-log --no-binary --only-binary
      --only-final --platform --prefix --progress-bar --python --python-version --refresh-package
      --report --requirements-from-script --resume-retries --retries --root --root-user-action
      --source-directory --src --timeout --upgrade-strategy --uploaded-prior-to --use-deprecated
      --use-feature`),
  ],
  switches: [
    ['no-index', '--no-index'],
    ...others('-q --quiet|-v --verbose|-U --upgrade|-I --ignore-installed|-h --help|-b --debug'),
  ],
}

const uv: Draft = {
  valued: [
    ['index', '-i --index-url'],
    ['index', '--default-index'],
    ['extra-index', '--index'],
    ['extra-index', '--torch-backend'],
    ['extra-index', '--extra-index-url'],
    ['find-links', '-f --find-links'],
    ['trusted-host', '--trusted-host'],
    ['trusted-host', '--allow-insecure-host'],
    ['include', '-r --requirements'],
    ['include', '--requirement'],
    ['include', '-c --constraints'],
    ['include', '--constraint'],
    ['include', '-b --build-constraints'],
    ['include', '--build-constraint'],
    ['include', '--overrides'],
    ['include', '--override'],
    ['include', '--with-requirements'],
    ['include', '--config-file'],
    ['editable', '-e --editable'],
    ['editable', '--with-editable'],
    ['requirement', '-w --with'],
    ['requirement', '--from'],
    ...others(`-p --python|-o --output-file|-P --upgrade-package|-C --config-setting|-t --target
      -m --module --project --directory --cache-dir  --color --extra --group
      --no-group --only-group --package --no-binary --only-binary --no-binary-package
      --no-build-package --prefix --python-platform --python-version --refresh-package
      --reinstall-package --resolution --prerelease --exclude-newer --index-strategy
      --keyring-provider --link-mode --env-file --branch --tag --rev --script --optional
      --publish-url --check-url --mirror --pypy-mirror`),
  ],
  switches: [
    ['no-index', '--no-index'],
    ...others('-q --quiet|-v --verbose|-U --upgrade|-n --no-cache|-h --help'),
  ],
}

const drafts: Readonly<Record<InstallerProgram, Draft>> = {
  pip,
  uv,
  uvx: uv,
  pipx: {
    isShortened: true,
    valued: [
      ['index', '-i --index-url'],
      ['arguments', '--pip-args'],
      ['requirement', '--spec'],
      ['requirement', '--preinstall'],
      ['requirement', '--with'],
      ['include', '-r --requirement'],
      ...others('--python --suffix --backend --fetch-python'),
    ],
    switches: others('-q --quiet|-v --verbose|-f --force|-e --editable|-h --help'),
  },
  poetry: {
    valued: others(`-G --group|-E --extras|-C --directory|-P --project|--source --python --platform
      --only --with --without`),
    switches: others('-e --editable|-v --verbose|-q --quiet|-n --no-interaction|-D --dev'),
  },
  pdm: {
    isShortened: true,
    valued: [
      ['editable', '-e --editable'],
      ['arguments', '--pip-args'],
      ['include', '--override'],
      ...others(
        '-c --config|-p --project|-G --group|-L --lockfile|-k --skip|--venv --platform --python',
      ),
    ],
    switches: others('-v --verbose|-q --quiet|-d --dev|-g --global|-h --help'),
  },
  pipenv: {
    valued: [
      ['index', '-i --index'],
      ['index', '--pypi-mirror'],
      ['extra-index', '--extra-index-url'],
      ['trusted-host', '--trusted-host'],
      ['arguments', '--extra-pip-args'],
      ['include', '-r --requirements'],
      ['editable', '-e --editable'],
      ...others('--python --categories'),
    ],
    switches: others('-v --verbose|-q --quiet|-d --dev|-h --help'),
  },
}

export const commandTables: Readonly<Record<InstallerProgram, OptionTable>> = {
  pip: buildTable(drafts.pip),
  pipx: buildTable(drafts.pipx),
  uv: buildTable(drafts.uv),
  uvx: buildTable(drafts.uvx),
  poetry: buildTable(drafts.poetry),
  pdm: buildTable(drafts.pdm),
  pipenv: buildTable(drafts.pipenv),
}

/** @param names with a short form first where there is one: those end with `|` */
function others(names: string): (readonly [Kind, string])[] {
  return names.split('|').flatMap((part) => {
    const words = part.trim().split(/\s+/)
    const hasShort = /^-[^-]/.test(words[0] ?? '')
    const pairs = hasShort ? [words.slice(0, 2).join(' '), ...words.slice(2)] : words
    return pairs.map((one) => ['other', one] as const)
  })
}

function buildTable({ valued, switches = [], isShortened }: Draft): OptionTable {
  const options = new Map<string, OptionUse>()
  const shortOptions = new Map<string, string>()
  const add = (kind: Kind, names: string, hasValue: boolean): void => {
    const words = names.split(' ')
    const full = words.at(-1) ?? ''
    options.set(full, { kind, hasValue })
    for (const short of words.slice(0, -1)) shortOptions.set(short, full)
  }
  for (const [kind, names] of valued) add(kind, names, true)
  for (const [kind, names] of switches) add(kind, names, false)
  return { options, shortOptions, isShortened: isShortened === true }
}
