// The page of the dashboard: it asks for the runs, and draws the table and the charts.

import { drawChart, element, formatNumber, smoothed } from "./chart.js";

const SECONDS = 2, SHOWN_AT_FIRST = 12;
const COLORS = ["#3b82d6", "#d96a1d", "#2f9e63", "#c2478d", "#8a6fd1", "#a8871b", "#1f9aa8", "#cf4a4a", "#7b8794", "#6f9a2d"];
const find = id => document.getElementById(id);

let runs = [], received = "", hidden = new Set(), known = new Set(), colors = new Map();
let order = { column: "name", down: false }, drawn = "";

const key = run => `${run.kind} ${run.name}`;
const base = log => log.startsWith("val_") ? log.slice(4) : log;

// ------------------------------------------------------------------ the data

async function refresh() {
  try {
    const answer = await fetch("runs");
    if (!answer.ok) throw new Error(await answer.text());
    const text = await answer.text();
    say("");
    if (text !== received) { received = text; accept(JSON.parse(text)); }
  } catch (error) {
    say(error instanceof TypeError
      ? "The dashboard has ended: the page shows its last state; start it again to continue."
      : String(error.message));
  }
  draw();
}

function accept(document_) {
  runs = document_.runs;
  find("folder").textContent = document_.folder;
  find("notes").replaceChildren(...document_.notes.map(note => element("p", { class: "notice" }, note)));
  for (const run of [...runs].sort((a, b) => b.modified - a.modified)) {
    if (known.has(key(run))) continue;
    known.add(key(run));
    const visible = [...known].filter(each => !hidden.has(each)).length;
    if (visible > SHOWN_AT_FIRST) hidden.add(key(run));
  }
  for (const run of runs) {
    if (!colors.has(key(run))) {
      const n = colors.size;
      colors.set(key(run), n < COLORS.length ? COLORS[n] : `hsl(${Math.round(n * 137.5) % 360} 55% 52%)`);
    }
  }
  const names = [...new Set(runs.flatMap(run => Object.keys(run.series)))];
  names.sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
  const menu = find("log"), before = menu.value;
  if (names.join("\n") !== [...menu.options].map(option => option.value).join("\n")) {
    menu.replaceChildren(...names.map(name => element("option", { value: name }, name)));
    menu.value = names.includes(before) && before ? before : names[0] ?? "";
  }
}

const rank = log => ["val_loss", "loss"].includes(log) ? ["val_loss", "loss"].indexOf(log) : 2;

function say(text) {
  find("problem").hidden = !text;
  if (find("problem").textContent !== text) find("problem").textContent = text;
}

// ------------------------------------------------------------------ the table

function rowOf(run) {
  const log = find("log").value, values = run.series[log]?.y.filter(y => y !== null) ?? [];
  const lowest = values.length ? values.reduce((a, b) => Math.min(a, b)) : null;
  const highest = values.length ? values.reduce((a, b) => Math.max(a, b)) : null;
  const epochs = Math.max(0, ...Object.values(run.series).filter(s => s.axis === "epoch").map(s => s.x.at(-1) ?? 0));
  const settings = Object.entries(run.settings).map(([name, value]) => `${name} ${typeof value === "number" ? formatNumber(value) : value}`).join(", ");
  const state = run.written === true ? "training" : run.written === false ? "not running" : "";
  return { run, key: key(run), name: run.name, kind: run.kind, state, epochs, last: values.at(-1) ?? null, lowest, highest, settings, changed: run.modified, problem: run.problem };
}

const COLUMNS = [
  ["name", "run"], ["kind", "kind"], ["state", "state"], ["epochs", "epochs", true], ["last", "last", true],
  ["lowest", "lowest", true], ["highest", "highest", true], ["settings", "settings"], ["changed", "changed", true], ["problem", "note"],
];

function age(seconds) {
  const passed = Math.max(0, Date.now() / 1000 - seconds);
  if (!seconds) return "";
  if (passed < 90) return `${Math.round(passed)} s ago`;
  if (passed < 5400) return `${Math.round(passed / 60)} min ago`;
  return passed < 172800 ? `${Math.round(passed / 3600)} h ago` : `${Math.round(passed / 86400)} days ago`;
}

function compare(a, b) {
  const [x, y] = [a[order.column], b[order.column]];
  if (x === y) return a.key.localeCompare(b.key);
  if (x === null || y === null) return x === null ? 1 : -1;
  const result = typeof x === "number" ? x - y : x.localeCompare(y, undefined, { numeric: true });
  return order.down ? -result : result;
}

function matching() {
  const words = find("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = runs.map(rowOf).filter(row => {
    const text = `${row.name} ${row.kind} ${row.state} ${row.settings}`.toLowerCase();
    return words.every(word => text.includes(word));
  });
  return rows.sort(compare);
}

function drawHead() {
  find("head").replaceChildren(...COLUMNS.map(([column, title, number]) => {
    const sorted = order.column === column ? (order.down ? "descending" : "ascending") : null;
    const arrow = sorted ? (order.down ? " ▼" : " ▲") : "";
    const button = element("button", { type: "button", id: `by-${column}` }, title + arrow);
    button.addEventListener("click", () => {
      order = { column, down: order.column === column && !order.down };
      drawHead();
      draw();
      find(`by-${column}`).focus();
    });
    return element("th", { scope: "col", class: number ? "number" : null, "aria-sort": sorted }, button);
  }));
}

function drawRows(rows) {
  const focused = document.activeElement?.dataset?.run;
  find("rows").replaceChildren(...rows.map(row => {
    const box = element("input", { type: "checkbox", "data-run": row.key, "aria-label": `show ${row.name}` });
    box.checked = !hidden.has(row.key);
    box.addEventListener("change", () => { box.checked ? hidden.delete(row.key) : hidden.add(row.key); draw(); });
    const name = element("label", { class: "name" }, box, element("span", { class: "swatch", style: { background: colors.get(row.key) } }), element("span", { class: "code" }, row.name));
    const line = element("tr", { class: box.checked ? null : "off" },
      element("td", {}, name), element("td", {}, row.kind),
      element("td", { class: row.state === "training" ? "training" : "faint" }, row.state),
      element("td", { class: "number" }, row.epochs ? String(row.epochs) : ""),
      ...[row.last, row.lowest, row.highest].map(value => element("td", { class: "number" }, value === null ? "" : formatNumber(value))),
      element("td", { class: "faint" }, row.settings), element("td", { class: "number faint" }, age(row.changed)),
      element("td", { class: "wrap faint" }, row.problem));
    line.addEventListener("pointerenter", () => light(row.key));
    line.addEventListener("pointerleave", () => light(null));
    box.addEventListener("focus", () => light(row.key));
    box.addEventListener("blur", () => light(null));
    return line;
  }));
  if (focused) document.querySelector(`input[data-run=${CSS.escape(focused)}]`)?.focus();
}

function light(run) {
  for (const curve of document.querySelectorAll(".curve")) curve.classList.toggle("dim", run !== null && !hidden.has(run) && curve.dataset.run !== run);
}

// ------------------------------------------------------------------ the charts

function drawCharts(rows) {
  const share = Number(find("smooth").value), logScale = find("log-scale").checked;
  const charts = new Map();
  for (const row of rows.filter(each => !hidden.has(each.key))) {
    for (const [log, series] of Object.entries(row.run.series)) {
      const name = `${base(log)}\n${series.axis}`;
      if (!charts.has(name)) charts.set(name, []);
      const dashed = log !== base(log);
      charts.get(name).push({ run: row.key, label: row.name + (dashed ? ", validation" : ""), color: colors.get(row.key), dashed, x: series.x, y: smoothed(series.y, share) });
    }
  }
  const names = [...charts.keys()].sort((a, b) => rank(a.split("\n")[0]) - rank(b.split("\n")[0]) || a.localeCompare(b));
  find("charts").replaceChildren(...names.map(name => {
    const [title, axis] = name.split("\n");
    return drawChart(title, axis, charts.get(name), logScale || title === "learning_rate");
  }));
}

function draw() {
  const rows = matching();
  drawRows(rows);
  find("count").textContent = `${rows.length} of ${runs.length} run${runs.length === 1 ? "" : "s"}`;
  find("empty").hidden = rows.length > 0;
  find("empty").textContent = !received ? "" : runs.length ? "No run matches the filter."
    : "There is no run in this folder yet: CSVLogger, TensorBoard and fit(resume=…) write some.";
  // The charts are only drawn again if they change, so that a tip under the pointer stays.
  const state = [received, find("filter").value, find("log-scale").checked, find("smooth").value, [...hidden].join("\n")].join("\0");
  if (state !== drawn) { drawn = state; drawCharts(rows); }
}

for (const id of ["filter", "log", "log-scale", "smooth"]) find(id).addEventListener("input", draw);
find("tools").addEventListener("submit", event => event.preventDefault());
find("all").addEventListener("click", () => { for (const row of matching()) hidden.delete(row.key); draw(); });
find("none").addEventListener("click", () => { for (const row of matching()) hidden.add(row.key); draw(); });
document.addEventListener("keydown", event => {
  if (event.key === "/" && !/INPUT|SELECT/.test(document.activeElement.tagName)) { event.preventDefault(); find("filter").focus(); }
});
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
drawHead();
setInterval(() => { if (!document.hidden) refresh(); }, SECONDS * 1000);
refresh();
