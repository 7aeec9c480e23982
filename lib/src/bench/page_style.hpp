// The look of the report's page; for report_html.cpp alone.
#pragma once

namespace clawws::bench {

inline constexpr const char* k_page_style = R"css(
:root{--ground:#f6f7f9;--card:#fff;--ink:#1c2430;--soft:#5b6675;--rule:#dfe3e9;--good:#12793f;
--bad:#b3261e;--l0:#1f6feb;--l1:#c2410c;--l2:#7c5cd6;color-scheme:light dark}
@media(prefers-color-scheme:dark){:root{--ground:#11151b;--card:#1a2029;--ink:#e6eaf0;--soft:#9aa6b5;
--rule:#2d3643;--good:#4ac27c;--bad:#ff7b72;--l0:#6aa8ff;--l1:#ff9e64;--l2:#b39df3}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1080px;margin:0 auto;padding:24px 20px 48px}
h1{font-size:26px;margin:0 0 6px}h2{font-size:20px;margin:28px 0 10px}
h3{font-size:15px;margin:0 0 10px}
header{margin-bottom:16px}header p{margin:2px 0;color:var(--soft);overflow-wrap:anywhere}
section,.tiles div,details{background:var(--card);border:1px solid var(--rule);border-radius:8px}
section{padding:14px 16px;margin:0 0 14px;min-width:0;overflow-x:auto}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(132px,1fr));gap:10px;margin:18px 0 14px}
.tiles div{padding:10px 14px}dt{color:var(--soft);font-size:13px}
dd{margin:2px 0 0;font-size:19px;font-variant-numeric:tabular-nums;white-space:nowrap}
.columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(460px,100%),1fr));gap:0 14px;align-items:start}
.word{font-weight:600;font-size:.85em;padding:1px 8px;border-radius:9px;border:1px solid currentColor;vertical-align:.08em}
.good{color:var(--good)}.bad{color:var(--bad)}
.note{color:var(--soft);font-size:13px;margin:8px 0 0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:4px 12px 4px 0;border-bottom:1px solid var(--rule);font-weight:400}
th{color:var(--soft);font-size:13px}tr:last-child td{border-bottom:0}
.numbers td:not(:first-child),.numbers th:not(:first-child){text-align:right;padding-right:0;padding-left:12px}
details{padding:10px 16px;margin-top:14px}summary{cursor:pointer}
pre{overflow-x:auto;font:12px/1.5 ui-monospace,monospace;margin:10px 0 0}
svg{display:block;width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:var(--soft)}
.grid{stroke:var(--rule)}.axis,.tick{stroke:var(--soft)}.mark{fill:var(--bad);opacity:.14}
path{fill:none;stroke-width:1.8;stroke-linejoin:round}circle{stroke:none}line{stroke-width:1}
.l0{stroke:var(--l0)}.l1{stroke:var(--l1)}.l2{stroke:var(--l2)}
line.l0,line.l1,line.l2{stroke-width:3}circle.l0{fill:var(--l0)}circle.l1{fill:var(--l1)}circle.l2{fill:var(--l2)}
)css";

}  // namespace clawws::bench
