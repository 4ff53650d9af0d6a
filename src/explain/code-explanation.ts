/** What can be said of an error code without knowing the case: the form of the table, and steps that recur. */

/** One thing to do. In a command words in capitals stand for something: `fillCommand` knows which. */
export interface Step {
  readonly text: string
  readonly command?: string
}

export interface CodeExplanation {
  /** One sentence, without words of the trade. */
  readonly rule: string
  /** Where the rule comes from. */
  readonly clause?: string
  /** What may be behind it, the likeliest first. */
  readonly meaning: readonly string[]
  readonly next: {
    /** Whoever ran pip. */
    readonly user: readonly Step[]
    /** Whoever runs the proxy and perhaps the mirror. */
    readonly operator: readonly Step[]
  }
}

export const tellOperator: Step = {
  text: 'Give the request id to whoever runs this proxy. Do not get the file another way.',
}

/** As long as a page lists it, pip chooses the newest, and gives up when that is refused. */
export const otherVersion: Step = {
  text: 'Ask for another version: pip does not look for one by itself when a file is refused.',
  command: "pip install 'PROJECT!=VERSION'",
}

/** Where it is the `.metadata` file that is wrong. */
export const hideMetadata: Step = {
  text: 'Where an index makes these files wrongly and will not mend it: core-metadata = false under [policy] in the settings has installers read the wheels themselves.',
}

export const tryAgain: Step = { text: 'Wait a minute and run the same command again.' }

export const otherNetwork: Step = {
  text: 'If it stays so, try from another network. If it works there, something between here and the index changes downloads.',
}

export const runDoctor: Step = {
  text: 'Let tufgate look for what is set up wrongly here.',
  command: 'tufgate doctor',
}

export const showSimilar: Step = {
  text: 'See what else was refused.',
  command: 'tufgate audit show --kind refused --since 24h',
}

export const showWarnings: Step = {
  text: 'See what the proxy met when it asked the mirror.',
  command: 'tufgate audit show --kind warning --since 24h',
}

export const mirrorHealth: Step = {
  text: 'On the machine of the mirror, ask how it is.',
  command: 'tufgate mirror health MIRROR',
}

export const mirrorCheck: Step = {
  text: 'On the machine of the mirror, read what it publishes as clients do.',
  command: 'tufgate mirror check MIRROR',
}

export const askMirrorOperator: Step = {
  text: 'Ask whoever runs the mirror before anything of it is used. Until then the proxy keeps what it had.',
}
