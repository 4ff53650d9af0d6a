/** How the status pages look: light and dark, from a phone to a wide screen, without anything from elsewhere. */

export const style = `
:root {
  --ground: #f6f7f9; --card: #ffffff; --ink: #1a2029; --faint: #545f6e; --line: #d9dee5; --link: #1b5aa6;
  --good: #14692f; --good-ground: #e2f4e7; --bad: #a4161a; --bad-ground: #fde8e8; --warn: #7a4b00; --warn-ground: #fff1d6;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12161c; --card: #1b2129; --ink: #e6eaf0; --faint: #a3afbf; --line: #323c49; --link: #82b6f5;
    --good: #86dba0; --good-ground: #16311f; --bad: #ffa3a3; --bad-ground: #431d20; --warn: #f5c56b; --warn-ground: #3a2c10;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 58rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif;
  overflow-wrap: anywhere;
}
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0; }
h2 { font-size: 1.1rem; margin: 0 0 .6rem; }
h3 { font-size: 1rem; margin: 0; }
p { margin: .3rem 0; }
a { color: var(--link); }
a:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 2px; }
header { display: flex; flex-wrap: wrap; align-items: center; gap: .4rem .8rem; margin-bottom: .4rem; }
.lead { color: var(--faint); margin: 0 0 1.2rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.1rem; margin: 0 0 1rem; }
.badge { display: inline-block; padding: .1rem .65rem; border-radius: 1rem; font-weight: 600; font-size: .9rem; }
.good { color: var(--good); background: var(--good-ground); }
.bad { color: var(--bad); background: var(--bad-ground); }
.warn { color: var(--warn); background: var(--warn-ground); }
.faint { color: var(--faint); font-size: .9rem; }
code, pre, .mono { font-family: var(--mono); font-size: .85em; }
pre { margin: .35rem 0 .2rem; padding: .5rem .7rem; background: var(--ground); border: 1px solid var(--line); border-radius: 6px; white-space: pre-wrap; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 .2rem; font-variant-numeric: tabular-nums; }
th, td { overflow-wrap: break-word; text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--faint); font-size: .85rem; font-weight: 600; }
tbody th { font-weight: 500; }
.number { text-align: right; padding-left: .6rem; padding-right: 0; overflow-wrap: normal; }
.whole { white-space: nowrap; }
pre code { font-size: inherit; }
ol, ul { margin: 0; padding-left: 1.3rem; }
li { margin: .35rem 0; }
ul.events { list-style: none; padding: 0; }
ul.events > li { margin: 0; padding: .6rem 0; border-top: 1px solid var(--line); }
ul.events > li:first-child { border-top: 0; padding-top: 0; }
ul.events > li:last-child { padding-bottom: 0; }
.events .what { font-weight: 600; }
.index + .index { border-top: 1px solid var(--line); margin-top: 1rem; padding-top: 1rem; }
dl { margin: .4rem 0 0; display: grid; grid-template-columns: minmax(5.5rem, max-content) 1fr; gap: .25rem .9rem; }
dt { color: var(--faint); }
dd { margin: 0; min-width: 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .7rem; }
.tiles > div { border: 1px solid var(--line); border-radius: 8px; padding: .5rem .75rem; }
.tiles strong { display: block; font-size: 1.3rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
summary { cursor: pointer; font-weight: 600; }
details > ul.events { margin-top: .7rem; }
footer { color: var(--faint); font-size: .9rem; }
@media (max-width: 30rem) {
  body { padding: 1rem .75rem 2rem; }
  section { padding: .85rem .8rem; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .4rem; }
}
`
