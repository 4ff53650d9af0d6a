/** `node scripts/attacks/keys/write-theft-table.ts`: puts the table of stolen keys into SECURITY.md. */

import { readFile, writeFile } from 'node:fs/promises'
import { buildTheftTable, tableBegin, tableEnd } from './theft-table.ts'

const text = await readFile('SECURITY.md', 'utf8')
const [before = '', rest] = text.split(`${tableBegin}\n`)
const [, after] = rest?.split(`${tableEnd}\n`) ?? []
if (after === undefined) throw new Error(`SECURITY.md has no ${tableBegin} and ${tableEnd}`)
const table = await buildTheftTable()
await writeFile('SECURITY.md', `${before}${tableBegin}\n${table}\n${tableEnd}\n${after}`)
