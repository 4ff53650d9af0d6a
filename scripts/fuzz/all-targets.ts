/** Every parser of what somebody else wrote; a target that is not here is not fuzzed. */

import type { FuzzTarget } from './target.ts'
import { installerTargets } from './targets/installers.ts'
import { jsonTargets } from './targets/json.ts'
import { lockTargets } from './targets/locks.ts'
import { logTargets } from './targets/logs.ts'
import { mirrorTargets } from './targets/mirror.ts'
import { pageTargets } from './targets/pages.ts'
import { requestTargets } from './targets/requests.ts'
import { responseTargets } from './targets/responses.ts'
import { settingsTargets } from './targets/settings.ts'
import { trustFileTargets } from './targets/trust-files.ts'
import { tufTargets } from './targets/tuf.ts'
import { tufJsTarget } from './targets/tuf-js.ts'
import { upstreamTarget } from './targets/upstream.ts'
import { wheelTargets } from './targets/wheels.ts'
import { wireTargets } from './targets/wire.ts'
import { workflowTarget } from './targets/workflow.ts'

export const allTargets: readonly FuzzTarget[] = [
  ...jsonTargets,
  ...tufTargets,
  tufJsTarget,
  workflowTarget,
  ...trustFileTargets,
  ...pageTargets,
  ...wheelTargets,
  ...logTargets,
  ...mirrorTargets,
  ...settingsTargets,
  ...installerTargets,
  ...lockTargets,
  ...responseTargets,
  upstreamTarget,
  ...requestTargets,
  ...wireTargets,
]
