/** Text -> HTML, for text and for attributes in double quotes alike. */

const replacements: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
  // A parser would make a line feed of it.
  ['\r', '&#13;'],
  ['\u0000', '\uFFFD'],
])

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"'\r\0]/g, (found) => replacements.get(found) ?? found)
}

type Attribute = readonly [name: string, value: string | undefined]

/** An opening tag; attributes without a value are left out. */
export function renderTag(name: string, attributes: readonly Attribute[]): string {
  let tag = `<${name}`
  for (const [attribute, value] of attributes) {
    if (value !== undefined) tag += ` ${attribute}="${escapeHtml(value)}"`
  }
  return `${tag}>`
}
