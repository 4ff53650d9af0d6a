/** The roles of a mirror, by who holds their keys. Delegations stand in PEP 480's order. */

/** Signed by people, in a ceremony. */
export const offlineRoles = ['root', 'targets', 'claimed', 'bins'] as const

/** Signed by the mirror itself; `bins-nn` is one key for every bin. */
export const onlineRoles = ['deny', 'recently-claimed', 'bins-nn', 'snapshot', 'timestamp'] as const

export type OfflineRole = (typeof offlineRoles)[number]
export type OnlineRole = (typeof onlineRoles)[number]

export { ownerRole } from '../simple/project-targets.ts'
