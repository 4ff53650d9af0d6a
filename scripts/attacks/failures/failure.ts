/** A failure that is not an attack, as a row of the table; and what must be seen in each of them. */

import type { TrialFile } from '../../../test/e2e/trial.ts'
import type { Attack, Observed, Scene } from '../attack.ts'
import { require, requireNote, type Judge } from '../judge.ts'
import { Place } from './place.ts'

export interface Failure extends Pick<Attack, 'row' | 'name' | 'isCore' | 'waitS'> {
  /** Honest files of the project. Default: two small wheels. */
  readonly files?: () => readonly TrialFile[]
  /** Without the proxy; default: a sentence, that there is nothing of the kind. */
  readonly alone?: string | ((place: Place) => Promise<Observed>)
  /** In a place of its own, which is closed afterwards. */
  readonly behind: (place: Place) => Promise<Observed>
  readonly judge: Judge
}

export function stageFailure({ alone = withoutProxy, behind, files, ...failure }: Failure): Attack {
  const inPlace =
    (act: (place: Place) => Promise<Observed>) =>
    async (scene: Scene): Promise<Observed> => {
      const place = await Place.open(scene, files?.())
      try {
        return await act(place)
      } finally {
        await place.close()
      }
    }
  return {
    ...failure,
    pips: 'machine',
    alone: typeof alone === 'string' ? alone : inPlace(alone),
    behind: inPlace(behind),
  }
}

const withoutProxy = 'pip alone has no proxy that could fail so'

export interface Sentence {
  /** What happened, in the words that the user sees. */
  readonly line: RegExp
  /** What he is to do about it. */
  readonly next: RegExp
}

/** Nothing is installed while it fails; a sentence says why and what to do; afterwards all is well. */
export function mustTellAndRecover({ line, next }: Sentence): Judge {
  return (observed) => [
    ...require(/^nothing installed, then foo-f 1\.1 installed$/.test(
      observed.happened,
    ), observed.happened),
    ...require(observed.exitCode !== 0, 'pip ended without a failure'),
    ...require(line.test(observed.line), `the line is "${observed.line}", not ${line}`),
    ...requireNextStep(observed, next),
    ...requireWell(observed),
  ]
}

/** It is no reason to refuse anything. */
export function mustServeOn(line?: RegExp): Judge {
  return (observed) => [
    ...require(/^foo-f 1\.1 installed, then foo-f 1\.1 installed$/.test(
      observed.happened,
    ), observed.happened),
    ...require(line === undefined ||
      line.test(observed.line), `the line is "${observed.line}", not ${line}`),
    ...requireWell(observed),
  ]
}

export function requireWell(observed: Observed): readonly string[] {
  return [
    ...requireNote(observed, /^recovered by itself/),
    ...observed.notes.filter((note) => note.startsWith('DAMAGE: ')),
  ]
}

function requireNextStep({ notes }: Observed, wanted: RegExp): readonly string[] {
  const told = notes.filter((note) => note.startsWith('next: '))
  return require(told.some((note) => wanted.test(note)), `not told ${wanted}: ${told.join('; ')}`)
}
