/** tuf-js with its state on disk, as it is between one run and the next. */

import { copyFile, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Updater } from 'tuf-js'
import { parseRecord } from '../../src/simple/record.ts'

export class TufJsClient {
  readonly #folder: string
  #isNew = true

  constructor(folder: string) {
    this.#folder = folder
  }

  /** One run; the names of the files of a project. Throws what tuf-js throws. */
  async visit(published: string, origin: string, project: string): Promise<string[]> {
    if (this.#isNew) {
      await mkdir(join(this.#folder, 'targets'), { recursive: true })
      await copyFile(join(published, 'metadata/1.root.json'), join(this.#folder, 'root.json'))
      this.#isNew = false
    }
    const updater = new Updater({
      metadataDir: this.#folder,
      metadataBaseUrl: `${origin}/metadata`,
      targetDir: join(this.#folder, 'targets'),
      targetBaseUrl: `${origin}/targets`,
      forceCache: false,
    })
    await updater.refresh()
    const info = await updater.getTargetInfo(`simple/${project}/index.json`)
    if (info === undefined) return []
    const path = await updater.downloadTarget(info, join(this.#folder, 'record.json'))
    return parseRecord(await readFile(path), project).files.map(({ filename }) => filename)
  }
}
