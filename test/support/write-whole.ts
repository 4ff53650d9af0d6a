import { rename, writeFile } from 'node:fs/promises'

/** For a file that another process reads at any moment: it sees what was there before, or all of this. */
export async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text)
  await rename(`${path}.new`, path)
}
