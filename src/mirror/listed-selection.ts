/**
 * `sync --all`: the list of the index is read once, and looked at are the projects that it says have
 * changed, that are new on it, or that are gone from it. Serials are not trusted for ever: what was
 * not looked at for a week is looked at again, a part of it at each sync.
 */

import type { FetchedList, IndexPort } from './index-port.ts'
import type { ProjectMark } from './ledger.ts'
import { LookQueue } from './look-queue.ts'
import type { Mirror } from './open-mirror.ts'
import type { Selection } from './selection.ts'
import { createSerialPort } from './serial-port.ts'
import { dayMs, settings } from './settings.ts'

const relookAfterMs = 7 * dayMs
/** Daily syncs come round within a week; a small index is looked at in one go. */
const relookShare = 7
const minRelooks = 1000
const marksAtOnce = 10_000

export async function selectListed(
  mirror: Mirror,
  port: IndexPort,
  isFull: boolean,
): Promise<Selection> {
  const validator = mirror.settings.find(settings.listValidator)
  const isConditional = validator !== undefined && validator !== '' && !isFull
  const answer = await port.fetchProjectList(isConditional ? validator : undefined)
  const list = answer === 'unchanged' ? undefined : answer
  const chosen = chooseProjects(mirror, list, isFull)
  const queue = new LookQueue(chosen.names.keys())
  return {
    names: queue,
    total: chosen.names.size,
    covered: chosen.covered,
    port: createSerialPort({
      port,
      expected: chosen.names,
      postpone: (project) => queue.putBack(project),
    }),
    isComplete: () => !isOlderList(mirror, list),
    settle: (isClean) => rememberList(mirror, list, isClean),
  }
}

/** TUF's rule for metadata holds for the list too: an older one than before shows nothing new. */
function isOlderList(mirror: Mirror, list: FetchedList | undefined): boolean {
  return (list?.serial ?? Infinity) < (mirror.settings.find(settings.listSerial) ?? 0)
}

function rememberList(mirror: Mirror, list: FetchedList | undefined, isClean: boolean): void {
  if (list !== undefined && isOlderList(mirror, list)) return
  mirror.ledger.database.transaction(() => {
    if (list?.serial !== undefined) mirror.settings.put(settings.listSerial, list.serial)
    // What failed must be asked for again: then the list has to come again too.
    if (!isClean) mirror.settings.put(settings.listValidator, '')
    else if (list !== undefined) mirror.settings.put(settings.listValidator, list.etag ?? '')
  })
}

interface Chosen {
  /** To be looked at, each with the serial that its page must have. */
  readonly names: ReadonlyMap<string, number | undefined>
  readonly covered: number
}

/** `undefined`: the list is the one of the last time. */
function chooseProjects(mirror: Mirror, list: FetchedList | undefined, isFull: boolean): Chosen {
  const budget = new RelookBudget(mirror, isFull)
  return list === undefined ? chooseOpen(mirror, budget) : chooseChanged(mirror, list, budget)
}

/** What was left open, what is due again; of an index without serials everything, conditionally. */
function chooseOpen(mirror: Mirror, budget: RelookBudget): Chosen {
  const names = new Map<string, undefined>()
  for (const { name, serial, lookedAt } of walkMarks(mirror, budget.before)) {
    const isOpen = lookedAt === undefined || serial === undefined
    if (isOpen || budget.take(lookedAt)) names.set(name, undefined)
  }
  return { names, covered: mirror.ledger.countProjects() }
}

/** `list` is used up. What is gone from it, and what is due again, needs no serial of its page. */
function chooseChanged(mirror: Mirror, list: FetchedList, budget: RelookBudget): Chosen {
  const names = list.serials
  let covered = names.size
  let backwards = 0
  for (const mark of walkMarks(mirror, Infinity)) {
    const listed = names.get(mark.name)
    if (!names.has(mark.name)) covered += 1
    if ((listed ?? Infinity) < (mark.serial ?? 0)) backwards += 1
    if (listed !== undefined && isChanged(mark, listed)) continue
    if (listed !== undefined && !budget.take(mark.lookedAt ?? 0)) names.delete(mark.name)
    else names.set(mark.name, undefined)
  }
  if (isOlderList(mirror, list)) reportOlderList(mirror, list)
  else if (backwards > 0) reportBackwards(mirror, backwards)
  return { names, covered }
}

function isChanged({ serial = -1, lookedAt }: ProjectMark, listed: number): boolean {
  return lookedAt === undefined || listed > serial
}

/** How many unchanged projects are looked at all the same. */
class RelookBudget {
  /** ms: who was looked at since then is not looked at again. */
  readonly before: number
  #left: number

  constructor(mirror: Mirror, isFull: boolean) {
    this.before = isFull ? Infinity : mirror.clock() - relookAfterMs
    const share = Math.ceil(mirror.ledger.countProjects() / relookShare)
    this.#left = isFull ? Infinity : Math.max(minRelooks, share)
  }

  take(lookedAt: number): boolean {
    if (lookedAt >= this.before || this.#left <= 0) return false
    this.#left -= 1
    return true
  }
}

/** A page of the table at a time: 900,000 rows are not held. */
function* walkMarks({ ledger }: Mirror, openSince: number): Generator<ProjectMark> {
  let marks = ledger.listMarks(-1, marksAtOnce, openSince)
  while (marks.length > 0) {
    yield* marks
    marks = ledger.listMarks(marks.at(-1)?.id ?? Infinity, marksAtOnce, openSince)
  }
}

function reportOlderList(mirror: Mirror, { serial }: FetchedList): void {
  const seen = mirror.settings.find(settings.listSerial)
  mirror.report({
    kind: 'warning',
    message: `The list of the index has serial ${serial}, and serial ${seen} was seen before: it is an old copy`,
    next: 'It does not count as a look at the index. If the index was really set back, tell its operator.',
  })
}

function reportBackwards(mirror: Mirror, count: number): void {
  mirror.report({
    kind: 'warning',
    message: `The list of the index has older serials than before for ${count} ${count === 1 ? 'project' : 'projects'}`,
    next: 'What is signed of them stays. If it goes on, ask the operator of the index.',
  })
}
