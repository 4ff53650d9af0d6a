/** Variables of a process, handed to whoever looks one up: the names that programs chose, not names from the network. */

export type Environment = Readonly<Record<string, string | undefined>>
