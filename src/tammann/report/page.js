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

const shown = {}, hidden = {}, moment = {};
// What a chart shows now: a variant, and of one with a slider the frame that it stands at.
function current(name, charts) {
  const variant = charts[name].variants[shown[name] || 0];
  if (!variant.frames) return variant;
  const frame = variant.frames[Math.min(moment[name] ?? variant.at, variant.frames.length - 1)];
  document.querySelector(`[data-when="${name}"]`).textContent = frame.label;
  return {...variant, data: [...variant.data, ...frame.data]};
}
const group = trace => trace.legendgroup || trace.name;
function draw(name, charts) {
  const element = document.getElementById(name);
  element.querySelectorAll("img").forEach(picture => picture.remove());
  const {data, layout} = themed(current(name, charts), wantsDark.matches && !printing, element.clientWidth);
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
  const {data, layout} = themed(current(name, charts), false, 900);
  const options = {format: "svg", filename: name, width: 900, height: charts[name].height};
  Plotly.downloadImage({data, layout: {...layout, paper_bgcolor: "#ffffff"}}, options);
}
async function startCharts() {
  const charts = read("charts");
  if (document.getElementById("frames")) {
    const frames = JSON.parse(await (await inflate("frames")).text());
    for (const name of Object.keys(frames)) frames[name].forEach((own, k) => { charts[name].variants[k].frames = own; });
  }
  const code = await (await inflate("plotly")).text();
  const script = document.createElement("script");
  script.textContent = code;
  document.head.append(script);
  for (const name of Object.keys(charts)) {
    draw(name, charts);
    const buttons = document.querySelectorAll(`[data-chart="${name}"] [aria-pressed]`);
    buttons.forEach((button, k) => button.addEventListener("click", () => {
      shown[name] = k;
      const slider = document.querySelector(`[data-time="${name}"]`);
      if (slider) {
        slider.max = charts[name].variants[k].frames.length - 1;
        slider.value = moment[name] = charts[name].variants[k].at;
      }
      buttons.forEach(b => b.setAttribute("aria-pressed", String(b === button)));
      draw(name, charts);
    }));
    document.querySelector(`[data-time="${name}"]`)?.addEventListener("input", event => {
      moment[name] = +event.target.value;
      draw(name, charts);
    });
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
  const {width, layers} = info, area = width * width;
  canvas.width = canvas.height = width;
  const offset = () => ((+time.value) * layers.length + (+depth.value)) * area;
  function paint() {
    const image = context.createImageData(width, width), start = offset();
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
    const y = Math.min(width - 1, Math.floor((event.clientY - box.top) / box.height * width));
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
