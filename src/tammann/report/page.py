"""The page around the charts: its style, and the little script that draws them."""

__all__ = ["CONTENT_SECURITY_POLICY", "SCRIPT", "STYLE"]

# Nothing may be fetched from anywhere: the browser itself enforces that the page is self-contained.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:"
)

STYLE = """
:root { color-scheme: light dark; --page: #fbfbf9; --card: #ffffff; --ink: #1d1f21; --soft: #5d6166; --line: #e2e2dc;
  --back: var(--page); --shade: #00000026;
  --accent: #0072b2; --caution: #b3541e; --caution-back: #fdf3ec; --note-back: #f1f5f8; }
@media (prefers-color-scheme: dark) { :root { --page: #15171a; --card: #1d2024; --ink: #e8e8e4; --soft: #a4a8ad;
  --line: #34383d; --shade: #ffffff2e; --accent: #6bb3e0; --caution: #f0a06a; --caution-back: #2b211b; --note-back: #1f262c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 980px; margin: 0 auto; padding: 40px clamp(14px, 4vw, 24px) 64px; overflow-wrap: anywhere; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .3rem; font-weight: 650; letter-spacing: -.01em; }
h2 { font-size: 1.18rem; margin: 2.6rem 0 .5rem; font-weight: 620; }
p { margin: .4rem 0 .8rem; max-width: 46rem; }
.soft, figcaption, caption { color: var(--soft); font-size: .875rem; }
.headline { font-size: 1.1rem; max-width: none; margin: 1.1rem 0 1.2rem; }
ul.notices { list-style: none; padding: 0; margin: 0; display: grid; gap: .5rem; }
ul.notices li { padding: .55rem .85rem; border-left: 3px solid var(--accent); background: var(--note-back);
  border-radius: 0 6px 6px 0; font-size: .94rem; }
ul.notices li.caution { border-color: var(--caution); background: var(--caution-back); }
figure { margin: .6rem 0 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 14px 14px 10px; break-inside: avoid; }
figcaption { margin: .5rem .2rem 0; }
.choice { display: flex; flex-wrap: wrap; gap: 6px; margin-bottom: 6px; }
.choice button, .legend button { font: inherit; font-size: .82rem; color: var(--soft); background: none;
  border: 1px solid var(--line); border-radius: 999px; padding: 2px 12px; cursor: pointer; }
.choice button[aria-pressed=true] { color: var(--card); background: var(--ink); border-color: var(--ink); }
.choice .save { margin-left: auto; }
.chart { width: 100%; }
.chart img { width: 100%; max-width: 760px; display: block; margin: 0 auto; background: white; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 14px; margin: .3rem .2rem 0; }
.legend button { border: 0; padding: 1px 0; color: var(--ink); text-align: left; }
.legend button[aria-pressed=false] { opacity: .45; }
.legend svg { width: 22px; height: 10px; margin-right: 6px; }
/* What is wider than its card scrolls, with a shade at the edge behind which there is more. */
.scroll { overflow-x: auto; background: linear-gradient(90deg, var(--back) 40%, transparent) 0 0 / 30px 100% local,
  linear-gradient(270deg, var(--back) 40%, transparent) 100% 0 / 30px 100% local,
  linear-gradient(90deg, var(--shade), transparent) 0 0 / 12px 100% scroll,
  linear-gradient(270deg, var(--shade), transparent) 100% 0 / 12px 100% scroll; background-repeat: no-repeat; }
figure { --back: var(--card); }
table { border-collapse: collapse; font-size: .9rem; margin: .8rem 0; width: 100%; }
caption { text-align: left; padding-bottom: .3rem; }
caption span { display: block; position: sticky; left: 0; max-width: calc(100vw - 32px); }
th, td { text-align: left; padding: .32rem .8rem; border-bottom: 1px solid var(--line); vertical-align: top;
  overflow-wrap: normal; }
td:first-child, th:first-child { padding-left: 0; }
td:last-child, th:last-child { padding-right: .2rem; }
th { font-weight: 600; color: var(--soft); }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
td.n span { display: inline-block; white-space: nowrap; }
table.pairs :is(th, td) { overflow-wrap: anywhere; }
table.pairs th { width: 16rem; }
td.long { min-width: 8rem; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; overflow-x: auto;
  font: .82rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
.slices { display: flex; flex-wrap: wrap; gap: 20px; align-items: flex-start; }
.slices canvas { width: min(420px, 100%); aspect-ratio: 1; image-rendering: pixelated; border: 1px solid var(--line); }
.slices .controls { flex: 1 1 220px; font-size: .9rem; }
.slices label { display: block; margin: 0 0 .8rem; }
.slices input { width: 100%; accent-color: var(--accent); }
.key { display: grid; gap: 3px; margin-top: 1rem; }
.key span::before { content: ""; display: inline-block; width: .8em; height: .8em; margin-right: .5em;
  background: var(--swatch); border: 1px solid var(--line); vertical-align: -.06em; }
@media (max-width: 620px) {
  th, td { padding: .32rem .4rem; }
  table.pairs :is(tr, th, td) { display: block; width: auto; padding: 0; border: 0; }
  table.pairs tr { padding: .3rem 0; border-bottom: 1px solid var(--line); }
}
.chart .sankey-link { opacity: 1 !important; } /* no fading in, which paper would catch half way */
footer { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: .8rem; }
@media print {
  :root { --page: #fff; --card: #fff; --ink: #111; --soft: #444; --line: #ccc; --caution: #b3541e;
    --caution-back: #fff; --note-back: #fff; color-scheme: light; }
  body { font-size: 11pt; } main { max-width: none; padding: 0; }
  .choice, .slices input, .legend [aria-pressed=false] { display: none !important; }
  .scroll { overflow: visible; background: none; }
  table { font-size: .8rem; } th, td { padding: .25rem .5rem; }
  h2 { break-after: avoid; } tr { break-inside: avoid; }
  figure { border: 0; padding: 0; } pre { white-space: pre-wrap; }
}
"""

SCRIPT = r"""
"use strict";
const read = id => JSON.parse(document.getElementById(id).textContent);
async function inflate(id) {
  const text = document.getElementById(id).textContent;
  const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")));
}
const wantsDark = matchMedia("(prefers-color-scheme: dark)");
let printing = false;

// Colours are chosen for a white page; on a dark one the deep ones are lifted.
function lift(hex) {
  const c = [1, 3, 5].map(k => parseInt(hex.slice(k, k + 2), 16));
  const light = (0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2]) / 255;
  const t = Math.max(0, 0.58 - light);
  return "#" + c.map(v => Math.round(v + (255 - v) * t).toString(16).padStart(2, "0")).join("") + hex.slice(7);
}
function recolour(value) {
  if (typeof value === "string") return /^#[0-9a-f]{6}([0-9a-f]{2})?$/i.test(value) ? lift(value) : value;
  if (Array.isArray(value)) return value.length && typeof value[0] === "number" ? value : value.map(recolour);
  if (value && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, recolour(v)]));
  return value;
}
function themed(variant, dark, width) {
  const ink = dark ? "#e8e8e4" : "#1d1f21", line = dark ? "#34383d" : "#e6e6e1", card = dark ? "#1d2024" : "#ffffff";
  const narrow = width < 560;
  const layout = structuredClone(variant.layout);
  Object.assign(layout, {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", autosize: true,
    font: {family: "system-ui, -apple-system, Segoe UI, Roboto, Arial, sans-serif", size: narrow ? 12 : 13, color: ink},
    hoverlabel: {bgcolor: card, bordercolor: line, font: {color: ink}, namelength: -1},
    dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom", // a finger scrolls the page
  });
  if (narrow) Object.assign(layout.margin, {l: 8, r: 8});
  for (const key of Object.keys(layout)) if (/^[xy]axis/.test(key)) {
    layout[key] = Object.assign({gridcolor: line, linecolor: line, zerolinecolor: line, automargin: true,
      ticks: "outside", tickcolor: line}, layout[key]);
    if (key[0] === "x" && narrow) Object.assign(layout[key], {nticks: 5, tickangle: 0});
    if (key[0] === "x" && layout[key].title) layout[key].title.text = folded(layout[key].title.text, width - 130);
  }
  const data = structuredClone(variant.data);
  return {data: dark ? recolour(data) : data, layout};
}
// A title wider than its axis goes on two lines.
function folded(text, room) {
  if (7 * text.length <= room) return text;
  const spaces = [...text.matchAll(/ /g)].map(m => m.index), middle = text.length / 2;
  const at = spaces.sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle))[0];
  return at ? text.slice(0, at) + "<br>" + text.slice(at + 1) : text;
}

const shown = {}, hidden = {};
const group = trace => trace.legendgroup || trace.name;
function draw(name, charts) {
  const element = document.getElementById(name);
  element.querySelectorAll("img").forEach(picture => picture.remove());
  const {data, layout} = themed(charts[name].variants[shown[name] || 0], wantsDark.matches && !printing,
    element.clientWidth);
  hidden[name] ??= new Set(data.filter(t => t.visible === "legendonly").map(group));
  for (const trace of data) if (trace.type !== "sankey") trace.visible = !hidden[name].has(group(trace));
  drawLegend(name, charts, data, layout.showlegend !== false);
  Object.assign(layout, {height: charts[name].height, showlegend: false});
  return Plotly.react(element, data, layout, {responsive: true, displayModeBar: false});
}
// The legend is text of the page, which breaks into lines at any width; a click switches a line off and on.
function drawLegend(name, charts, data, wanted) {
  const legend = document.querySelector(`[data-legend="${name}"]`);
  legend.replaceChildren(...data.filter(t => wanted && t.line && t.name && t.showlegend !== false).map(trace => {
    const button = document.createElement("button"), off = hidden[name];
    const dash = {dot: "2 3", dash: "6 3", dashdot: "6 3 2 3", longdash: "9 3"}[trace.line.dash] || "";
    button.type = "button";
    button.setAttribute("aria-pressed", String(!off.has(group(trace))));
    button.innerHTML = `<svg><line x2="22" y1="5" y2="5" stroke="${trace.line.color}" stroke-width="2.5"
      stroke-dasharray="${dash}"/></svg>`;
    button.append(trace.name);
    button.addEventListener("click", () => {
      if (!off.delete(group(trace))) off.add(group(trace));
      draw(name, charts);
    });
    return button;
  }));
}
function save(name, charts) {
  const {data, layout} = themed(charts[name].variants[shown[name] || 0], false, 900);
  const options = {format: "svg", filename: name, width: 900, height: charts[name].height};
  Plotly.downloadImage({data, layout: {...layout, paper_bgcolor: "#ffffff"}}, options);
}
async function startCharts() {
  const charts = read("charts");
  const code = await (await inflate("plotly")).text();
  const script = document.createElement("script");
  script.textContent = code;
  document.head.append(script);
  for (const name of Object.keys(charts)) {
    draw(name, charts);
    const buttons = document.querySelectorAll(`[data-chart="${name}"] [aria-pressed]`);
    buttons.forEach((button, k) => button.addEventListener("click", () => {
      shown[name] = k;
      buttons.forEach(b => b.setAttribute("aria-pressed", String(b === button)));
      draw(name, charts);
    }));
    document.querySelector(`[data-chart="${name}"] .save`).addEventListener("click", () => save(name, charts));
  }
  const again = () => Object.keys(charts).forEach(name => draw(name, charts));
  wantsDark.addEventListener("change", again);
  matchMedia("(max-width: 620px)").addEventListener("change", again);
  addEventListener("beforeprint", () => { printing = true; again(); });
  addEventListener("afterprint", () => { printing = false; again(); });
}
async function startSlices() {
  if (!document.getElementById("grid")) return;
  const info = read("grid-info");
  const cells = new Uint8Array(await (await inflate("grid")).arrayBuffer());
  const canvas = document.getElementById("canvas"), context = canvas.getContext("2d");
  const time = document.getElementById("slice-time"), depth = document.getElementById("slice-depth");
  const when = document.getElementById("slice-when"), where = document.getElementById("slice-where");
  const colours = info.colours.map(hex => [1, 3, 5].map(k => parseInt(hex.slice(k, k + 2), 16)));
  const {width, height, layers} = info, area = width * height;
  canvas.width = width; canvas.height = height;
  const offset = () => ((+time.value) * layers.length + (+depth.value)) * area;
  function paint() {
    const image = context.createImageData(width, height), start = offset();
    for (let k = 0; k < area; k++) {
      const code = cells[start + k];
      if (code) { image.data.set(colours[code - 1], 4 * k); image.data[4 * k + 3] = 255; }
    }
    context.putImageData(image, 0, 0);
    when.textContent = info.times[+time.value];
    where.textContent = `layer ${layers[+depth.value] + 1} of ${info.size}`;
  }
  [time, depth].forEach(input => input.addEventListener("input", paint));
  canvas.addEventListener("mousemove", event => {
    const box = canvas.getBoundingClientRect();
    const x = Math.min(width - 1, Math.floor((event.clientX - box.left) / box.width * width));
    const y = Math.min(height - 1, Math.floor((event.clientY - box.top) / box.height * height));
    const code = cells[offset() + Math.max(0, y) * width + Math.max(0, x)];
    canvas.title = code ? info.phases[code - 1] : "empty";
  });
  paint();
}
startCharts().catch(error => {
  document.getElementById("no-charts").hidden = false;
  console.error(error);
});
startSlices().catch(console.error);
"""
