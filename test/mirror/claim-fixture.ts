/** A mirror whose projects are claimed: maintainers hand in files, the operator takes them. */

import type { Bytes } from '../../src/base/bytes.ts'
import type { PublishedChange } from '../../src/ceremony/publish-change.ts'
import type { FoundRecord } from '../../src/client/repository.ts'
import { openMirrorIndex } from '../../src/cli/mirror/mirror-index.ts'
import {
  acceptReleases,
  addClaim,
  removeClaim,
  type AcceptedReleases,
  type RemovedClaim,
} from '../../src/mirror/claim-work.ts'
import { readMirror } from '../../src/mirror/open-mirror.ts'
import { listOwnerStates, type OwnerState } from '../../src/mirror/owner-states.ts'
import type { SyncOptions, SyncResult } from '../../src/mirror/sync.ts'
import { choosePromotions } from '../../src/mirror/promote-claims.ts'
import type { RegisteredClaim } from '../../src/mirror/register-claim.ts'
import type { Signer } from '../../src/signing/signer.ts'
import { Ceremony } from '../ceremony/ceremony-fixture.ts'
import {
  claimFor,
  createKey,
  localFile,
  openClient,
  shownFile,
  signFor,
  type SignParts,
} from '../owner/maintainer.ts'
import type { MirrorFixture } from './mirror-fixture.ts'

export class ClaimedMirror {
  readonly ceremony: Ceremony
  readonly mirror: MirrorFixture
  /** Of foo. */
  readonly owner: Signer

  private constructor(ceremony: Ceremony, owner: Signer) {
    this.ceremony = ceremony
    this.mirror = ceremony.mirror
    this.owner = owner
  }

  /** foo, bar and others, signed by the mirror. */
  static async create(now?: number): Promise<ClaimedMirror> {
    return new ClaimedMirror(await Ceremony.create({}, now), await createKey())
  }

  /** As it is, for one test: to begin anew takes longer. */
  async copy(name: string): Promise<ClaimedMirror> {
    return new ClaimedMirror(await this.ceremony.copy(name), this.owner)
  }

  /** Of a copy the index is a copy too. */
  sync(options: Partial<SyncOptions> = {}): Promise<SyncResult> {
    return this.mirror.sync({ acceptIndex: true, ...options })
  }

  add(claim: Bytes): Promise<RegisteredClaim> {
    return addClaim(this.mirror.context, claim)
  }

  accept(...releases: readonly Bytes[]): Promise<AcceptedReleases> {
    return acceptReleases({ ...this.mirror.context, openIndex: openMirrorIndex, releases })
  }

  drop(project = 'foo'): Promise<RemovedClaim> {
    return removeClaim(this.mirror.context, project)
  }

  async claim(project = 'foo', owner = this.owner): Promise<void> {
    await this.add(await claimFor(project, [owner], { now: this.mirror.now }))
  }

  /** From what the mirror has published. */
  async sign(parts: Partial<SignParts> = {}, project = 'foo', owner = this.owner): Promise<Bytes> {
    const { public: folder, now } = this.mirror
    const { release } = await signFor(project, folder, owner, { now, ...parts })
    return release
  }

  /** A new version on the index, and a release with it. */
  async signVersion(version: string, parts: Partial<SignParts> = {}): Promise<Bytes> {
    const name = `foo-${version}.tar.gz`
    return this.sign({ local: [localFile(name)], page: { files: [shownFile(name)] }, ...parts })
  }

  /** foo is signed by its owner, and `recently-claimed` names him. */
  async claimWhole(): Promise<void> {
    await this.claim()
    await this.accept(await this.signVersion('1.1'))
  }

  async promote(projects?: readonly string[]): Promise<PublishedChange> {
    const listClaims = (mirror: Parameters<typeof choosePromotions>[0]) =>
      choosePromotions(mirror, projects)
    return this.ceremony.change({ listClaims }, await this.ceremony.offline('claimed'))
  }

  states(): Promise<OwnerState[]> {
    return readMirror(this.mirror.directory, listOwnerStates)
  }

  /** As a new client of the proxy finds it. */
  async find(project = 'foo'): Promise<FoundRecord | undefined> {
    return (await openClient(this.mirror.public, this.mirror.now)).findRecord(project)
  }

  async namesOf(project = 'foo'): Promise<string[]> {
    return ((await this.find(project))?.record.files ?? []).map(({ filename }) => filename)
  }

  remove(): Promise<void> {
    return this.ceremony.remove()
  }
}
