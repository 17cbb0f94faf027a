"""Style sheet of the HTML page for light, dark and print."""

STYLE = """\
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5b6570; --line: #d5dae0; --paper: #ffffff; --panel: #f6f7f9;
  --good: #1a7f37; --warn: #9a6700; --bad: #c1121f; --note: #0b66b8;
  --c0: #0b66b8; --c1: #c4560a; --c2: #1a7f37; --c3: #8250df; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --soft: #9aa4af; --line: #363d45; --paper: #14171a;
  --panel: #1c2024;
  --good: #4cc26d; --warn: #e3b341; --bad: #ff7b72; --note: #6cb6ff;
  --c0: #6cb6ff; --c1: #f0883e; --c2: #4cc26d; --c3: #b392f0; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 24px 20px 60px; max-width: 1020px; background: var(--paper); color: var(--ink);
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
header { border-left: 6px solid var(--good); background: var(--panel); padding: 14px 18px; border-radius: 4px; }
header.warnings { border-color: var(--warn); }
header.errors, header.no_klv { border-color: var(--bad); }
h1 { font-size: 20px; margin: 0; line-height: 1.3; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 34px 0 8px; border-bottom: 1px solid var(--line); padding-bottom: 4px; }
h3 { font-size: 15px; margin: 20px 0 6px; }
p { margin: 6px 0; }
.advice { margin-top: 8px; }
.soft, .clause { color: var(--soft); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 3px 16px; margin: 10px 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 14px; }
th { text-align: left; color: var(--soft); font-weight: 500; border-bottom: 1px solid var(--line); }
th, td { padding: 3px 12px 3px 0; vertical-align: top; }
td { border-bottom: 1px solid var(--panel); overflow-wrap: anywhere; }
th.n, td.n { text-align: right; white-space: nowrap; }
td.inner { padding-left: 18px; }
.finding { margin: 10px 0; padding: 8px 14px; border-left: 4px solid var(--note); background: var(--panel);
  border-radius: 3px; }
.finding.error { border-color: var(--bad); }
.finding.warning { border-color: var(--warn); }
.finding b { overflow-wrap: anywhere; }
.tag { text-transform: uppercase; font-size: 11px; letter-spacing: .06em; color: var(--note); margin-right: 8px; }
.error .tag { color: var(--bad); }
.warning .tag { color: var(--warn); }
figure { margin: 18px 0; }
figcaption { font-size: 13px; color: var(--soft); margin-bottom: 4px; }
.key { margin-left: 12px; white-space: nowrap; }
.key i { display: inline-block; width: 14px; height: 3px; margin-right: 5px; vertical-align: middle;
  background: var(--c0); }
.key .k1 { background: var(--c1); } .key .k2 { background: var(--c2); } .key .k3 { background: var(--c3); }
svg { display: block; width: 100%; height: auto; background: var(--panel); border-radius: 4px; }
svg text { font: 10.5px system-ui, sans-serif; fill: var(--soft); }
.grid { stroke: var(--line); stroke-width: .6; } .axis { stroke: var(--soft); stroke-width: .8; fill: none; }
polyline { fill: none; stroke-width: 1.5; stroke-linejoin: round; }
polygon { opacity: .22; }
.l0 { stroke: var(--c0); } .l1 { stroke: var(--c1); } .l2 { stroke: var(--c2); } .l3 { stroke: var(--c3); }
.f0, .b0 { fill: var(--c0); } .f1, .b1 { fill: var(--c1); } .f2, .b2 { fill: var(--c2); } .f3, .b3 { fill: var(--c3); }
.r0, .r1, .r2, .r3 { fill: var(--paper); stroke-width: 2; }
.r0 { stroke: var(--c0); } .r1 { stroke: var(--c1); } .r2 { stroke: var(--c2); } .r3 { stroke: var(--c3); }
.s1, .s2, .s3, .s4 { fill: var(--c0); } .s1 { opacity: .25; } .s2 { opacity: .45; } .s3 { opacity: .7; }
footer { margin-top: 40px; color: var(--soft); font-size: 13px; }
@media print { :root { --ink: #000; --soft: #444; --line: #bbb; --paper: #fff; --panel: #fff;
  --good: #1a7f37; --warn: #9a6700; --bad: #c1121f; --note: #0b66b8;
  --c0: #0b66b8; --c1: #c4560a; --c2: #1a7f37; --c3: #8250df; }
  body { max-width: none; padding: 0; font-size: 11pt; } header, .finding, svg { border: 1px solid var(--line); }
  header { border-left-width: 6px; } .finding { border-left-width: 4px; }
  .finding, figure, tr { break-inside: avoid; } h2, h3 { break-after: avoid; } .wide { overflow: visible; } }
"""
