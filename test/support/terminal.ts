/** Programs at a terminal of their own, which Python makes. */

import { spawnSync } from 'node:child_process'

const terminal = `
import json, os, pty, re, sys
program = json.loads(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    os.execvp(program[0], program)
seen = b""
answers = [answer.encode().decode("unicode_escape").encode("latin1") for answer in sys.argv[2:]]
asked, answered = 0, -1
while True:
    try:
        chunk = os.read(fd, 1024)
    except OSError:
        break
    if not chunk:
        break
    seen += chunk
    # Behind a question stand at most the letters that move the cursor.
    question = re.search(rb"[]:] (\\x1b\\[[0-9;?]*[A-Za-z])*$", seen)
    if question and question.start() > answered and asked < len(answers):
        answered = question.start()
        os.write(fd, answers[asked])
        asked += 1
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(seen)
sys.exit(os.WTERMSIG(status) + 128 if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))
`

export interface AtTerminal {
  readonly stdout: string
  readonly status: number | null
}

/** Types each answer, with escapes as Python has them, when a question that ends in ": " or "] " waits. */
export function atTerminal(program: readonly string[], ...answers: readonly string[]): AtTerminal {
  const parameters = ['-c', terminal, JSON.stringify(program), ...answers]
  return spawnSync('python3', parameters, { encoding: 'utf8', timeout: 20_000 })
}
