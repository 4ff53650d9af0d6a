import { describe, expect, test } from 'vitest'
import {
  findScript,
  parseScripts,
  renderScriptBodies,
  splitScript,
} from '../../src/installed/generated-scripts.ts'

describe('entry points', () => {
  test('are read from the two sections of scripts, and from no other', () => {
    const text = [
      '[console_scripts]',
      'foo = foo.cli:main',
      'bar=foo.cli : App.run [extra]',
      '# no = foo:main',
      '[other]',
      'baz = foo:main',
      '[gui_scripts]',
      'gui = foo.gui:main',
    ].join('\r\n')
    expect([...parseScripts(text)]).toEqual([
      ['foo', { module: 'foo.cli', attribute: 'main' }],
      ['bar', { module: 'foo.cli', attribute: 'App.run' }],
      ['gui', { module: 'foo.gui', attribute: 'main' }],
    ])
  })

  test.each([
    '../evil = foo:main',
    'a/b = foo:main',
    '.. = foo:main',
    'x = foo',
    'x = foo:main; import os',
    'x = foo:main()',
    'x = foo:a:b',
    '= foo:main',
    'x = foo\u2024bar:main',
  ])('are not read from %j', (line) => {
    expect([...parseScripts(`[console_scripts]\n${line}`)]).toEqual([])
  })

  test('of pip are those of its versions too, of others not', () => {
    const scripts = parseScripts('[console_scripts]\npip = pip._internal:main\nfoo = foo:main\n')
    expect(findScript(scripts, 'pip3')).toEqual(scripts.get('pip'))
    expect(findScript(scripts, 'pip3.11')).toEqual(scripts.get('pip'))
    expect(findScript(scripts, 'foo3')).toBeUndefined()
    expect(findScript(scripts, 'pip3.evil')).toBeUndefined()
  })
})

describe('the script of an entry point', () => {
  const entry = { module: 'foo.cli', attribute: 'App.run' }

  test.each([
    [
      'pip before 25',
      "# -*- coding: utf-8 -*-\nimport re\nimport sys\nfrom foo.cli import App\nif __name__ == '__main__':\n    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])\n    sys.exit(App.run())\n",
    ],
    [
      'pip 25',
      "import sys\nfrom foo.cli import App\nif __name__ == '__main__':\n    if sys.argv[0].endswith('.exe'):\n        sys.argv[0] = sys.argv[0][:-4]\n    sys.exit(App.run())\n",
    ],
    [
      'pip 26',
      "import sys\nfrom foo.cli import App\nif __name__ == '__main__':\n    sys.argv[0] = sys.argv[0].removesuffix('.exe')\n    sys.exit(App.run())\n",
    ],
    [
      'installer, which poetry and pdm use',
      '# -*- coding: utf-8 -*-\nimport re\nimport sys\nfrom foo.cli import App\nif __name__ == "__main__":\n    sys.argv[0] = re.sub(r"(-script\\.pyw|\\.exe)?$", "", sys.argv[0])\n    sys.exit(App.run())\n',
    ],
    [
      'uv',
      '# -*- coding: utf-8 -*-\nimport sys\nfrom foo.cli import App\nif __name__ == "__main__":\n    if sys.argv[0].endswith("-script.pyw"):\n        sys.argv[0] = sys.argv[0][:-11]\n    elif sys.argv[0].endswith(".exe"):\n        sys.argv[0] = sys.argv[0][:-4]\n    sys.exit(App.run())\n',
    ],
  ])('is known as %s writes it', (_, body) => {
    expect(renderScriptBodies(entry)).toContain(body)
  })

  test.each([
    ['#!/venv/bin/python3\nx\n', { interpreter: '/venv/bin/python3', body: 'x\n' }],
    [
      "#!/bin/sh\n'''exec' \"/a b/bin/python\" \"$0\" \"$@\"\n' '''\nx\n",
      { interpreter: '/a b/bin/python', body: 'x\n' },
    ],
    [
      "#!/bin/sh\n'''exec' '/a b/bin/python' \"$0\" \"$@\"\n' '''\nx\n",
      { interpreter: '/a b/bin/python', body: 'x\n' },
    ],
    [
      '#!/bin/sh\n\'\'\'exec\' "$(dirname -- "$(realpath -- "$0")")"/\'python3\' "$0" "$@"\n\' \'\'\'\nx\n',
      { interpreter: '', body: 'x\n' },
    ],
  ])('is told from its first lines: %j', (text, expected) => {
    expect(splitScript(text)).toEqual(expected)
  })

  test.each([
    'x\n',
    '#! python\nx\n',
    '#!/usr/bin/env python\nx\n',
    '#!/bin/sh\necho evil\n',
    "#!/bin/sh\n'''exec' \"$(evil)\" \"$0\" \"$@\"\n' '''\nx\n",
    "#!/bin/sh\n'''exec' \"/a/python\"; evil \"$0\" \"$@\"\n' '''\nx\n",
    "#!/bin/sh\n'''exec' /a/python -c evil \"$0\" \"$@\"\n' '''\nx\n",
    '#!/venv/bin/python -c evil\nx\n',
  ])('with first lines that do more is none: %j', (text) => {
    expect(splitScript(text)).toBeUndefined()
  })
})
