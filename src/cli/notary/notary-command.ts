/** `tufgate notary forget`: the one way to begin anew with trust on first use. */

import { formatUtcSeconds } from '../../base/clock.ts'
import { ConfigError } from '../../base/errors.ts'
import { forgetNotary, hasNotary } from '../../notary/notary-folder.ts'
import { chooseNotaryPlace, type NotaryFlags } from './notary-choice.ts'
import { say } from '../terminal.ts'

export async function runNotaryForget(flags: NotaryFlags): Promise<number> {
  const place = chooseNotaryPlace(flags)
  if ((await hasNotary(place)) === 'never') {
    throw new ConfigError('CONFIG_INVALID', `Nothing of ${place.index} was seen yet`, {
      expected: place.path,
      next: 'Where the state is elsewhere: --state-dir FOLDER',
    })
  }
  const aside = await forgetNotary(place, formatUtcSeconds(Date.now()))
  say(
    `What was seen of ${place.index} is forgotten; the next start trusts what the index shows then.`,
  )
  if (aside !== undefined) say(`It lies in ${aside} until you delete it.`)
  return 0
}
