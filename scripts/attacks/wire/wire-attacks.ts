import type { Attack } from '../attack.ts'
import { clients } from './clients.ts'
import { foreign } from './foreign.ts'
import { framing } from './framing.ts'
import { proxying } from './proxying.ts'
import { reading } from './reading.ts'
import { stageWireRows } from './wire-row.ts'

/** A raw client against a proxy whose file host is hostile; in the order of the table. */
export const onTheWire: readonly Attack[] = stageWireRows([
  ...reading,
  ...framing,
  ...clients,
  ...foreign,
  ...proxying,
])
