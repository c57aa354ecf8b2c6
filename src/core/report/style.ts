/**
 * Colours of the report and the inspection page, light and dark, as variables
 * of a style sheet. `--edge` has a contrast of 3 : 1 to both grounds, the rest
 * of at least 4.5 : 1 but for `--line`, which carries no meaning.
 */
export const COLORS: string = `:root {
  color-scheme: light dark;
  --ground: #ffffff; --panel: #f3f5f7; --text: #1b1f24; --quiet: #545c66;
  --line: #c9d0d8; --edge: #7c8794; --accent: #0b5cad; --normal: #2f7d4f; --anomalous: #b3261e;
  --uncertain: #8a5a00; --unknown: #4a6fa5; --on: #ffffff;
}
@media (prefers-color-scheme: dark) { :root {
  --ground: #14171b; --panel: #1e2329; --text: #e8ebef; --quiet: #a6b0bb;
  --line: #3b444e; --edge: #78838f; --accent: #7cb8ff; --normal: #6fcf97; --anomalous: #ff9087;
  --uncertain: #e6b450; --unknown: #8fb4e8; --on: #14171b;
} }
`;

/**
 * The report's style sheet. Every pair of text and ground has a contrast of at
 * least 4.5 : 1, in light and dark.
 */
export const REPORT_STYLE: string = `${COLORS}* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; background: var(--ground);
  color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: .5rem 0; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
a { color: var(--accent); }
a:focus-visible, summary:focus-visible, .scroll:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { position: static; }
.quiet { color: var(--quiet); }
.numbers { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .5rem; margin: 1rem 0; padding: 0; }
.numbers div { background: var(--panel); border-radius: .5rem; padding: .6rem .8rem; }
.numbers dt { color: var(--quiet); font-size: .85rem; }
.numbers dd { margin: 0; font-size: 1.3rem; font-weight: 600; overflow-wrap: anywhere; }
svg { display: block; width: 100%; height: auto; max-width: 40rem; }
svg text { fill: var(--quiet); font: 14px system-ui, sans-serif; }
.axis { fill: none; stroke: var(--line); }
.threshold { fill: none; stroke: var(--text); stroke-width: 2; stroke-dasharray: 5 4; }
.line { fill: none; stroke: var(--accent); stroke-width: 2.5; }
.bar.normal { fill: var(--normal); } .bar.anomalous { fill: var(--anomalous); } .bar.unknown { fill: var(--unknown); }
.key { display: inline-block; width: .8em; height: .8em; border-radius: .2em; margin-right: .35em; }
.key.normal { background: var(--normal); } .key.anomalous { background: var(--anomalous); } .key.unknown { background: var(--unknown); }
.legend { color: var(--quiet); display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: .25rem 0; }
.curves { display: flex; flex-wrap: wrap; gap: 1rem; }
.curve { margin: 0; flex: 0 1 20rem; }
.scale { display: flex; align-items: center; flex-wrap: wrap; gap: .5rem; color: var(--quiet); font-size: .9rem; }
.scale i { display: inline-block; width: 9rem; height: .8rem; border-radius: .2rem; }
.image { border: 1px solid var(--line); border-radius: .6rem; padding: .8rem; margin: .8rem 0; break-inside: avoid; }
.image header { display: flex; flex-wrap: wrap; gap: .3rem .8rem; align-items: baseline; }
.badge { border-radius: 1rem; padding: .05rem .6rem; font-size: .85rem; font-weight: 600; color: var(--on); }
.badge.normal { background: var(--normal); } .badge.anomalous { background: var(--anomalous); }
.badge.uncertain { background: var(--uncertain); } .badge.unknown { background: var(--unknown); }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .6rem; margin-top: .6rem; }
.pictures figure { margin: 0; }
.pictures img { width: 100%; height: auto; display: block; border-radius: .3rem; background: var(--panel); }
figcaption { font-size: .8rem; color: var(--quiet); overflow-wrap: anywhere; }
.framed { position: relative; }
.framed i { position: absolute; border: 2px solid #fff; outline: 2px solid #000; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th, td { text-align: left; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td.number { white-space: nowrap; }
td { overflow-wrap: anywhere; }
td:first-child { min-width: 6rem; }
.group { margin-bottom: .8rem; }
summary { cursor: pointer; color: var(--accent); padding: .4rem 0; }
pre { overflow-x: auto; background: var(--panel); padding: .8rem; border-radius: .5rem; font-size: .85rem; }
@media (max-width: 34rem) { .pictures { grid-template-columns: 1fr 1fr; } body { padding: .7rem; } }
@media print { * { print-color-adjust: exact; } body { max-width: none; } .image { border-color: #888; } .group::details-content { content-visibility: visible; block-size: auto; } .skip, nav { display: none; } }`;
