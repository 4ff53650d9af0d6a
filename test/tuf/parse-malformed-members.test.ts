import { describe, test } from 'vitest'
import { expectRefusal } from '../support/expect-refusal.ts'
import { bent, parsers, set } from './bent-metadata.ts'

const noRole = { name: 'a', keyids: [], threshold: 1, terminating: true, paths: ['*'] }
const bins = { name_prefix: 'bins', bit_length: 4, keyids: [], threshold: 1 }

describe('metadata with a malformed member is refused:', () => {
  test.each([
    [
      'root',
      'threshold 0',
      set('signed/roles/timestamp/threshold', 0),
      'signed.roles.timestamp.threshold',
    ],
    [
      'root',
      'a negative threshold',
      set('signed/roles/root/threshold', -1),
      'signed.roles.root.threshold',
    ],
    ['root', 'threshold 1.5', set('signed/roles/root/threshold', 1.5), '1.5 is not an integer'],
    [
      'root',
      'a threshold as text',
      set('signed/roles/root/threshold', '1'),
      'signed.roles.root.threshold',
    ],
    [
      'root',
      'no threshold',
      set('signed/roles/root/threshold', undefined),
      'signed.roles.root.threshold',
    ],
    [
      'root',
      'a key id twice in a role',
      set('signed/roles/root/keyids', ['a', 'a']),
      'a key id stands twice',
    ],
    [
      'root',
      'key ids that are no list',
      set('signed/roles/root/keyids', 'ab'),
      'signed.roles.root.keyids',
    ],
    ['root', 'no root role', set('signed/roles/root', undefined), 'signed.roles.root'],
    [
      'root',
      'no timestamp role',
      set('signed/roles/timestamp', undefined),
      'signed.roles.timestamp',
    ],
    ['root', 'no snapshot role', set('signed/roles/snapshot', undefined), 'signed.roles.snapshot'],
    ['root', 'no targets role', set('signed/roles/targets', undefined), 'signed.roles.targets'],
    [
      'root',
      'consistent_snapshot as text',
      set('signed/consistent_snapshot', 'false'),
      'expected true or false',
    ],
    ['root', 'keys as a list', set('signed/keys', []), 'signed.keys: expected an object'],
    ['root', 'a key that is text', set('signed/keys/*', 'key'), 'signed.keys.'],
    [
      'root',
      'a key without a type',
      set('signed/keys/*/keytype', undefined),
      'keytype: expected text',
    ],
    [
      'root',
      'a key without keyval',
      set('signed/keys/*/keyval', undefined),
      'keyval: expected an object',
    ],
    [
      'timestamp',
      'more than snapshot',
      set('signed/meta/targets.json', { version: 1 }),
      'must list snapshot.json alone',
    ],
    ['timestamp', 'no snapshot', set('signed/meta', {}), 'must list snapshot.json alone'],
    [
      'timestamp',
      'a signed time that is none',
      set('signed/x-tufgate/signed', 'today'),
      'x-tufgate.signed: expected a time',
    ],
    [
      'timestamp',
      'signed times that are text',
      set('signed/x-tufgate', 'today'),
      'x-tufgate: expected an object',
    ],
    ['snapshot', 'no meta', set('signed/meta', undefined), 'signed.meta'],
    [
      'snapshot',
      'a role of version 0',
      set('signed/meta/targets.json/version', 0),
      'expected an integer of at least 1',
    ],
    [
      'snapshot',
      'a role without a version',
      set('signed/meta/targets.json/version', undefined),
      'found nothing',
    ],
    [
      'snapshot',
      'a role of length 0',
      set('signed/meta/targets.json/length', 0),
      'signed.meta.targets.json.length',
    ],
    [
      'snapshot',
      'a role with an empty list of hashes',
      set('signed/meta/targets.json/hashes', {}),
      'no hash is listed',
    ],
    [
      'snapshot',
      'half a digest',
      set('signed/meta/targets.json/hashes/sha256', 'ab'),
      'not a digest of sha256',
    ],
    ['targets', 'no targets', set('signed/targets', undefined), 'signed.targets'],
    [
      'targets',
      'a target without hashes',
      set('signed/targets/*/hashes', undefined),
      'hashes: expected an object',
    ],
    [
      'targets',
      'a target with an empty list of hashes',
      set('signed/targets/*/hashes', {}),
      'no hash is listed',
    ],
    [
      'targets',
      'a path in place of a digest',
      set('signed/targets/*/hashes/sha256', '../../x'),
      'not a digest of sha256',
    ],
    [
      'targets',
      'a digest in capitals',
      set('signed/targets/*/hashes/sha256', 'AB'.repeat(32)),
      'not a digest of sha256',
    ],
    [
      'targets',
      'a negative length',
      set('signed/targets/*/length', -1),
      'length: expected an integer of at least 0',
    ],
    [
      'targets',
      'no length',
      set('signed/targets/*/length', undefined),
      'length: expected an integer',
    ],
    [
      'targets',
      'delegations without keys',
      set('signed/delegations/keys', undefined),
      'delegations.keys',
    ],
    [
      'targets',
      'delegations without roles',
      set('signed/delegations/roles', undefined),
      'expected either roles or succinct_roles',
    ],
    [
      'targets',
      'roles and bins at once',
      set('signed/delegations/succinct_roles', bins),
      'expected either roles or succinct_roles',
    ],
    [
      'targets',
      'a role twice',
      set('signed/delegations/roles', [noRole, noRole]),
      'role a stands twice',
    ],
    [
      'targets',
      'a delegation to root',
      set('signed/delegations/roles/0/name', 'root'),
      'root cannot be delegated',
    ],
    [
      'targets',
      'a delegation to targets',
      set('signed/delegations/roles/0/name', 'targets'),
      'targets cannot be delegated',
    ],
    [
      'targets',
      'a role without a name',
      set('signed/delegations/roles/0/name', ''),
      'a role without a name',
    ],
    [
      'targets',
      'a role without terminating',
      set('signed/delegations/roles/0/terminating', undefined),
      'terminating: expected true or false',
    ],
    [
      'targets',
      'threshold 0 in a delegation',
      set('signed/delegations/roles/0/threshold', 0),
      'threshold: expected an integer of at least 1',
    ],
    [
      'targets',
      'neither paths nor prefixes',
      set('signed/delegations/roles/0/paths', undefined),
      'expected either paths or path_hash_prefixes',
    ],
    [
      'targets',
      'paths and prefixes at once',
      set('signed/delegations/roles/0/path_hash_prefixes', ['a']),
      'expected either paths or path_hash_prefixes',
    ],
    [
      'targets',
      'paths as text',
      set('signed/delegations/roles/0/paths', '*'),
      'paths: expected a list',
    ],
    [
      'targets',
      'a pattern that is open',
      set('signed/delegations/roles/0/paths', ['[a']),
      'paths.[0]: a bracket in the pattern is not closed',
    ],
    [
      'targets',
      'a prefix that is no hexadecimal',
      set('signed/delegations/roles/0', {
        ...noRole,
        path_hash_prefixes: ['xy'],
      }),
      'path_hash_prefixes.[0]: expected the beginning of a sha256',
    ],
  ] as const)('%s with %s', async (role, _, bend, message) => {
    await expectRefusal(() => parsers[role](bent(role, bend)), 'MALFORMED', message)
  })

  test.each([
    ['0 bits', { bit_length: 0 }, 'bit_length'],
    ['33 bits', { bit_length: 33 }, 'bit_length is more than 32'],
    ['half a bit', { bit_length: 0.5 }, '0.5 is not an integer'],
    ['no prefix', { name_prefix: undefined }, 'name_prefix: expected text'],
    ['a prefix of a megabyte', { name_prefix: 'x'.repeat(1_000_000) }, 'name_prefix is too long'],
    ['threshold 0', { threshold: 0 }, 'threshold: expected an integer of at least 1'],
  ])('targets with bins of %s', async (_, change, message) => {
    const delegations = { keys: {}, succinct_roles: { ...bins, ...change } }
    const bytes = bent('targets', set('signed/delegations', delegations))
    await expectRefusal(() => parsers.targets(bytes), 'MALFORMED', message)
  })
})
