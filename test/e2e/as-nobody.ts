/** Loaded into a process of root's before the program (`node --import`): it goes on as `nobody`. */

import { nobody } from './other-user.ts'

process.setgroups?.([])
process.setgid?.(nobody)
process.setuid?.(nobody)
