// A chart: the curves of one log of several runs, as SVG.

const WIDTH = 420, HEIGHT = 230, LEFT = 54, RIGHT = 410, TOP = 10, BOTTOM = 204;
const SVG = "http://www.w3.org/2000/svg";

export function element(name, attributes = {}, ...children) {
  const isSvg = ["svg", "path", "line", "text", "circle", "rect"].includes(name);
  const node = isSvg ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "style") Object.assign(node.style, value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

export function formatNumber(value) {
  if (value === null || value === undefined) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size >= 1e5 || size < 1e-3 ? value.toExponential(3) : String(Number(value.toPrecision(4)));
}

// Each value is the mean of those before it, with weights that fall by the factor `share`.
export function smoothed(values, share) {
  if (!share) return values;
  let mean = 0, weight = 0;
  return values.map(value => {
    if (value === null) return null;
    mean = share * mean + (1 - share) * value;
    weight = share * weight + (1 - share);
    return mean / weight;
  });
}

function ticks(low, high, count) {
  const raw = (high - low) / count;
  const size = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map(factor => factor * size).find(candidate => candidate >= raw * 0.999);
  const result = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++) result.push(Number((n * step).toPrecision(12)));
  return result;
}

function range(values, margin) {
  let low = Infinity, high = -Infinity;
  for (const value of values) { low = Math.min(low, value); high = Math.max(high, value); }
  if (low > high) return [0, 1];
  const spread = high - low;
  if (spread <= 1e-9 * Math.max(Math.abs(low), Math.abs(high))) {
    const half = Math.abs(low) * 0.1 || 0.5;
    return [low - half, high + half];
  }
  return [low - margin * spread, high + margin * spread];
}

// curves: [{run, label, color, dashed, x, y}]; y has null where a value is missing or not finite.
export function drawChart(title, axis, curves, logScale) {
  const value = y => y === null || (logScale && y <= 0) ? null : logScale ? Math.log10(y) : y;
  const [x0, x1] = range(curves.flatMap(curve => curve.x), 0);
  const [y0, y1] = range(curves.flatMap(curve => curve.y.map(value).filter(y => y !== null)), 0.06);
  const toX = x => LEFT + (x - x0) / (x1 - x0) * (RIGHT - LEFT);
  const toY = y => BOTTOM - (y - y0) / (y1 - y0) * (BOTTOM - TOP);
  const picture = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title} by ${axis} of ${curves.length} curves` });
  for (const tick of ticks(y0, y1, 5)) {
    const y = toY(tick);
    picture.append(element("line", { x1: LEFT, x2: RIGHT, y1: y, y2: y, class: "grid" }));
    picture.append(element("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, formatNumber(logScale ? 10 ** tick : tick)));
  }
  for (const tick of ticks(x0, x1, 6).filter(Number.isInteger)) {
    picture.append(element("text", { x: toX(tick), y: HEIGHT - 8, "text-anchor": "middle" }, String(tick)));
  }
  for (const curve of curves) drawCurve(picture, curve, curve.y.map(value), toX, toY);
  const card = element("section", { class: "chart" }, element("h2", {}, title), picture);
  addTip(card, picture, axis, curves, x => toX(x), [x0, x1]);
  return card;
}

function drawCurve(picture, curve, values, toX, toY) {
  let path = "", open = false, points = [];
  values.forEach((y, n) => {
    if (y === null) { open = false; return; }
    path += `${open ? "L" : "M"}${toX(curve.x[n]).toFixed(1)} ${toY(y).toFixed(1)}`;
    open = true;
    points.push([toX(curve.x[n]), toY(y)]);
  });
  const style = { stroke: curve.color };
  const shared = { "data-run": curve.run };
  if (path) picture.append(element("path", { d: path, class: `curve${curve.dashed ? " dashed" : ""}`, style, ...shared }));
  if (points.length && points.length <= 12) {
    for (const [x, y] of points) picture.append(element("circle", { cx: x, cy: y, r: 2.6, class: "curve", style: { fill: curve.color, stroke: "none" }, ...shared }));
  }
}

function addTip(card, picture, axis, curves, toX, [x0, x1]) {
  const tip = element("div", { class: "tip", hidden: true });
  const cursor = element("line", { y1: TOP, y2: BOTTOM, class: "cursor", visibility: "hidden" });
  picture.append(cursor);
  card.append(tip);
  picture.addEventListener("pointermove", event => {
    const box = picture.getBoundingClientRect();
    const at = x0 + ((event.clientX - box.left) / box.width * WIDTH - LEFT) / (RIGHT - LEFT) * (x1 - x0);
    const rows = curves.map(curve => ({ curve, n: nearest(curve.x, at) })).filter(({ n }) => n >= 0);
    if (!rows.length) return;
    const x = rows.map(({ curve, n }) => curve.x[n]).reduce((a, b) => Math.abs(a - at) <= Math.abs(b - at) ? a : b);
    const shown = rows.filter(({ curve, n }) => curve.x[n] === x).slice(0, 12);
    tip.replaceChildren(element("div", { class: "faint" }, `${axis} ${x}`), ...shown.map(({ curve, n }) => element("div", {},
      element("span", { class: "swatch", style: { background: curve.color } }), element("span", {}, curve.label), element("span", {}, formatNumber(curve.y[n])))));
    tip.hidden = false;
    const left = (event.clientX - box.left) > box.width / 2;
    Object.assign(tip.style, { left: left ? "12px" : "auto", right: left ? "auto" : "12px", top: "34px" });
    cursor.setAttribute("x1", toX(x));
    cursor.setAttribute("x2", toX(x));
    cursor.setAttribute("visibility", "visible");
  });
  picture.addEventListener("pointerleave", () => { tip.hidden = true; cursor.setAttribute("visibility", "hidden"); });
}

function nearest(values, at) {
  let best = -1;
  values.forEach((value, n) => { if (best < 0 || Math.abs(value - at) < Math.abs(values[best] - at)) best = n; });
  return best;
}
