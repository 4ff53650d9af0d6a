/**
 * What whoever has stolen these keys can make clients believe, by the rules of our own client
 * (src/tuf): a pure function of the shape of the repository and of the keys.
 *
 * The first question is always which roles he can forge; the attacks follow from that.
 */

/** A role, or a whole kind of roles that are alike: every bin, the owners of either kind. */
export type MatrixRole =
  | 'root'
  | 'timestamp'
  | 'snapshot'
  | 'targets'
  | 'deny'
  | 'claimed'
  | 'recently-claimed'
  | 'bins'
  | 'bins-nn'
  | 'owner'

export interface RoleShape {
  readonly keyids: readonly string[]
  readonly threshold: number
  /** ms; the latest, of several. */
  readonly expires: number
  /** Whether whoever lists it says its sha256, and not its version alone. */
  readonly isPinned: boolean
}

export interface MirrorShape {
  readonly roles: ReadonlyMap<MatrixRole, RoleShape>
  readonly projects: {
    readonly claimed: number
    readonly recentlyClaimed: number
    readonly unclaimed: number
  }
}

/** Whose files he can replace. `one` is the project whose owner's keys he has. */
export type Scope = 'nothing' | 'one' | 'unclaimed' | 'not-claimed' | 'everything'

export interface Verdict {
  /** Roles that clients take from him. */
  readonly forged: readonly MatrixRole[]
  readonly malicious: Scope
  /** The same for clients that have never seen the mirror: old versions can be replayed to them. */
  readonly maliciousForNew: Scope
  readonly freeze: Freeze
  readonly inconsistency: 'no' | 'within' | 'yes'
  readonly reasons: readonly string[]
}

/** How long clients go on with a list of then, and what stops it: `undefined` for ever. */
export interface Freeze {
  readonly until?: number
  readonly endedBy?: MatrixRole
  /** Whoever controls the delivery path can do as much without any key. */
  readonly needsNoKey: boolean
}

export interface Theft {
  readonly keyids: ReadonlySet<string>
  /** Of one project that signs for itself, as many keys as it needs. */
  readonly hasOwner: boolean
  /** The files of the mirror, or the network between it and the clients. */
  readonly hasPath: boolean
}

/** Who names the keys of a role; whoever forges that one names his own. */
const delegators: ReadonlyMap<MatrixRole, MatrixRole> = new Map([
  ['timestamp', 'root'],
  ['snapshot', 'root'],
  ['targets', 'root'],
  ['deny', 'targets'],
  ['claimed', 'targets'],
  ['recently-claimed', 'targets'],
  ['bins', 'targets'],
  ['bins-nn', 'bins'],
])

/** Each behind those on which it depends. */
const inOrder: readonly MatrixRole[] = [
  'root',
  'timestamp',
  'snapshot',
  'targets',
  'deny',
  'claimed',
  'recently-claimed',
  'bins',
  'bins-nn',
  'owner',
]

/** TUF 5.4 to 5.6: by whose hash bytes are held to what they were when they were signed. */
const listers: ReadonlyMap<MatrixRole, MatrixRole> = new Map([
  ['snapshot', 'timestamp'],
  ...inOrder.slice(3).map((role) => [role, 'snapshot'] as const),
])

export function judgeTheft(shape: MirrorShape, theft: Theft): Verdict {
  if (!theft.hasPath) return judgeWithoutPath(theft)
  const forged = findForged(shape, theft)
  const found = findScope(forged)
  // Through the mirror he can do as much as without the delivery path.
  const isHandedIn = theft.hasOwner && found === 'nothing'
  const malicious = isHandedIn ? 'one' : found
  const maliciousForNew = findScopeForNew(malicious, forged, shape)
  return {
    forged: [...forged],
    malicious,
    maliciousForNew,
    freeze: findFreeze(shape, forged),
    inconsistency: forged.has('snapshot') ? 'yes' : found === 'nothing' ? 'no' : 'within',
    reasons: [
      ...(isHandedIn ? [reasons.ownerWithoutPath] : []),
      ...explain(shape, forged, { malicious, maliciousForNew, hasKeys: theft.keyids.size > 0 }),
    ],
  }
}

/** A signature does nothing before it reaches a client. */
function judgeWithoutPath({ hasOwner }: Theft): Verdict {
  const malicious = hasOwner ? 'one' : 'nothing'
  return {
    forged: [],
    malicious,
    maliciousForNew: malicious,
    freeze: { needsNoKey: false },
    inconsistency: 'no',
    reasons: [hasOwner ? reasons.ownerWithoutPath : reasons.noPath],
  }
}

function findForged(shape: MirrorShape, theft: Theft): ReadonlySet<MatrixRole> {
  const forged = new Set<MatrixRole>()
  for (const role of inOrder) {
    const isSigned =
      isThresholdStolen(shape, role, theft) || forged.has(delegators.get(role) ?? role)
    const lister = listers.get(role)
    const isHeld = lister !== undefined && shape.roles.get(role)?.isPinned !== false
    if (isSigned && (!isHeld || forged.has(lister))) forged.add(role)
  }
  return forged
}

function isThresholdStolen(shape: MirrorShape, role: MatrixRole, theft: Theft): boolean {
  if (role === 'owner') return theft.hasOwner
  const held = shape.roles.get(role)
  if (held === undefined) return false
  return held.keyids.filter((keyid) => theft.keyids.has(keyid)).length >= held.threshold
}

/** PEP 480: the search goes claimed, recently-claimed, bins, and ends where a project is found. */
function findScope(forged: ReadonlySet<MatrixRole>): Scope {
  if (forged.has('targets') || forged.has('claimed')) return 'everything'
  if (forged.has('recently-claimed')) return 'not-claimed'
  if (forged.has('bins') || forged.has('bins-nn')) return 'unclaimed'
  return forged.has('owner') ? 'one' : 'nothing'
}

/**
 * A returning client holds every role to the version that it has seen (TUF 5.5.5). A new one takes an
 * older, unexpired `claimed`, in which a project is not claimed yet.
 */
function findScopeForNew(
  scope: Scope,
  forged: ReadonlySet<MatrixRole>,
  { projects }: MirrorShape,
): Scope {
  const hasOwners = projects.claimed + projects.recentlyClaimed > 0
  const isReplayed = hasOwners && forged.has('snapshot') && scope !== 'nothing' && scope !== 'one'
  return isReplayed ? 'everything' : scope
}

/** Expiry is asked of every role on the way to a record, at each use. */
const onTheWay: readonly MatrixRole[] = inOrder.filter((role) => role !== 'owner')

function findFreeze(shape: MirrorShape, forged: ReadonlySet<MatrixRole>): Freeze {
  const freeze = findEarliest(shape, forged)
  const without = findEarliest(shape, new Set())
  return { ...freeze, needsNoKey: freeze.until === without.until && freeze.until !== undefined }
}

function findEarliest(
  shape: MirrorShape,
  forged: ReadonlySet<MatrixRole>,
): { until?: number; endedBy?: MatrixRole } {
  const ends = onTheWay.flatMap((endedBy) => {
    const until = forged.has(endedBy) ? undefined : shape.roles.get(endedBy)?.expires
    return until === undefined ? [] : [{ until, endedBy }]
  })
  const [first] = ends.toSorted((left, right) => left.until - right.until)
  return first ?? {}
}

const reasons = {
  noPath: 'What he signs does not reach a client: the mirror goes on publishing its own.',
  ownerWithoutPath:
    'An owner hands his releases to the mirror: it publishes one that is signed with his keys.',
  pathAlone:
    'Every role is held by the hash or the signature of the one above it; he can only withhold what is new.',
  pinned:
    'Whoever lists these roles says their sha256, and cannot be forged: other bytes are refused.',
  sameVersion:
    'Snapshot lists the bins by version alone: under the version that is listed he can give another bin to clients that do not have it yet, and again at each publication, for as long as nobody notices.',
  unclaimed: 'He signs the bins: any record of a project that nobody has claimed.',
  notClaimed:
    'recently-claimed comes before the bins: he names himself the owner of any project that is not claimed offline.',
  everything:
    'What he forges comes before all other roles in the search: he speaks for every project.',
  root: 'The threshold of root names all other keys.',
  replay:
    'To a client that is new he can show a list of before a claim (as long as it has not expired): the project counts as not claimed there. Returning clients refuse it.',
  mix: 'He puts versions together that were never published together; returning clients take none that is older than what they have seen.',
  timestamp:
    'He keeps an old list alive until a role expires that he cannot sign. He can also raise versions so far that ours are refused, until the key is replaced: then clients forget them.',
  deny: 'He can withdraw any file, and bring back what was withdrawn: never a file that its owner or the mirror did not sign.',
  owner: 'He signs releases of this project as its owner.',
} as const

function explain(
  shape: MirrorShape,
  forged: ReadonlySet<MatrixRole>,
  {
    malicious,
    maliciousForNew,
    hasKeys,
  }: Pick<Verdict, 'malicious' | 'maliciousForNew'> & { readonly hasKeys: boolean },
): string[] {
  if (forged.size === 0) return [hasKeys ? reasons.pinned : reasons.pathAlone]
  const isSameVersion = !forged.has('snapshot') && shape.roles.get('bins-nn')?.isPinned === false
  return [
    ...(forged.has('root') ? [reasons.root] : []),
    ...(malicious === 'everything' ? [reasons.everything] : []),
    ...(malicious === 'not-claimed' ? [reasons.notClaimed] : []),
    ...(malicious === 'unclaimed' ? [isSameVersion ? reasons.sameVersion : reasons.unclaimed] : []),
    ...(forged.has('owner') ? [reasons.owner] : []),
    ...(malicious !== maliciousForNew ? [reasons.replay] : []),
    ...(forged.has('deny') ? [reasons.deny] : []),
    ...(forged.has('snapshot') ? [reasons.mix] : []),
    ...(forged.has('timestamp') ? [reasons.timestamp] : []),
  ]
}
