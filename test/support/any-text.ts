/** Well-formed text of any letters, for property tests; `unit: 'binary'` takes a second to set up. */

import * as fc from 'fast-check'

const letter = fc.oneof(
  fc.integer({ min: 0, max: 0x7f }),
  fc.integer({ min: 0x80, max: 0xd7ff }),
  fc.integer({ min: 0xe000, max: 0xffff }),
  fc.integer({ min: 0x1_0000, max: 0x10_ffff }),
)

export const anyText: fc.Arbitrary<string> = fc.string({
  unit: letter.map((point) => String.fromCodePoint(point)),
})
