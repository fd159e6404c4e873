/* Curves on a canvas: any {columns: {times | epochUs, values}} in an answer is drawn. */

const MARGIN = { top: 14, right: 18, bottom: 30, left: 64 };
const TIME_STEPS_S = [1e-3, 1e-2, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 1800, 3600, 10800, 21600, 43200,
  86400, 172800, 604800, 2592000, 7776000, 31536000, 157680000];

function instantsOf(columns) {
  if (columns.epochUs) return columns.epochUs.map((us) => us / 1000);
  return columns.times ? columns.times.map((time) => Date.parse(time)) : null;
}

/* Samples further apart than this have a gap between them; buckets say so by a null. */
function longestStep(instants) {
  const steps = instants.slice(1).map((t, i) => t - instants[i]).sort((a, b) => a - b);
  return steps.length ? 10 * steps[steps.length >> 1] : Infinity;
}

/* Everything drawable in an answer, with the key it stands under. */
function findSeries(value, key = "data", found = []) {
  if (value === null || typeof value !== "object" || found.length >= 8) return found;
  const columns = value.columns;
  const instants = columns && Array.isArray(columns.values) ? instantsOf(columns) : null;
  if (instants && instants.length) {
    const marks = value.anomalies && value.anomalies.values ? instantsOf(value.anomalies) : null;
    found.push({
      name: value.stream && value.stream.name ? value.stream.name : key,
      unit: value.stream && value.stream.unit ? value.stream.unit : "",
      instants, values: columns.values, counts: columns.counts,
      marks: marks ? marks.map((t, i) => [t, value.anomalies.values[i]]) : [],
    });
  }
  for (const [name, child] of Object.entries(value)) {
    if (name !== "columns" && !Array.isArray(child)) findSeries(child, name, found);
  }
  return found;
}

function niceStep(span, count) {
  const rough = span / count, power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((m) => m * power).find((step) => step >= rough);
}

function timeLabel(ms, stepMs) {
  const text = new Date(ms).toISOString();
  if (stepMs >= 86400e3) return text.slice(0, 10);
  if (stepMs < 1e3) return text.slice(11, 23);
  const clock = text.slice(11, stepMs >= 60e3 ? 16 : 19);
  return ms % 86400e3 === 0 ? `${text.slice(5, 10)} ${clock}` : clock;
}

/* Enough digits to tell ticks apart, and no more. */
function valueLabel(value, step) {
  if (value !== 0 && (Math.abs(value) >= 1e7 || step < 1e-5)) return value.toExponential(3);
  return value.toFixed(Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)));
}

class Plot {
  constructor(series) {
    this.series = series;
    this.canvas = element("canvas", { ariaLabel: `Curve of ${series.name}` });
    this.canvas.setAttribute("role", "img");
    this.readout = element("output");
    const about = `${series.values.length.toLocaleString("en")} points` +
      (series.marks.length ? `, ${series.marks.length} anomalies` : "");
    const title = series.unit ? `${series.name} [${series.unit}]` : series.name;
    const caption = element("figcaption", {}, element("b", {}, title), element("span", {}, about), this.readout);
    this.figure = element("figure", {}, caption, this.canvas);
    this.canvas.addEventListener("pointermove", (event) => this.draw(event.offsetX));
    this.canvas.addEventListener("pointerleave", () => this.draw());
    this.measure();
  }

  measure() {
    const { instants, values, marks } = this.series;
    let low = Infinity, high = -Infinity;
    for (const value of [...values, ...marks.map((mark) => mark[1])]) {
      if (value === null) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    if (low > high) [low, high] = [0, 1];
    const pad = (high - low) * 0.06 || Math.abs(high) * 0.05 || 1;
    this.low = low - pad;
    this.high = high + pad;
    this.longestStep = longestStep(instants);
    this.start = instants[0];
    this.end = instants[instants.length - 1];
    if (this.end === this.start) { this.start -= 500; this.end += 500; }
  }

  draw(pointerX) {
    const ratio = window.devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    const pen = this.canvas.getContext("2d");
    pen.scale(ratio, ratio);
    this.right = width - MARGIN.right;
    this.bottom = height - MARGIN.bottom;
    this.x = (t) => MARGIN.left + (t - this.start) / (this.end - this.start) * (this.right - MARGIN.left);
    this.y = (v) => this.bottom - (v - this.low) / (this.high - this.low) * (this.bottom - MARGIN.top);
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name);
    this.drawAxes(pen, colour);
    this.drawCurve(pen, colour);
    this.drawMarks(pen, colour);
    this.drawPointer(pen, colour, pointerX);
  }

  drawAxes(pen, colour) {
    pen.font = "11px system-ui, sans-serif";
    pen.fillStyle = colour("--soft");
    pen.strokeStyle = colour("--grid");
    pen.beginPath();
    const step = niceStep(this.high - this.low, 5);
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (let v = Math.ceil(this.low / step) * step; v <= this.high; v += step) {
      const y = Math.round(this.y(v)) + 0.5;
      pen.moveTo(MARGIN.left, y);
      pen.lineTo(this.right, y);
      pen.fillText(valueLabel(v, step), MARGIN.left - 8, y);
    }
    const count = Math.max(2, (this.right - MARGIN.left) / 110);
    const rough = (this.end - this.start) / 1000 / count;
    const stepMs = 1000 * (TIME_STEPS_S.find((s) => s >= rough) || Math.ceil(rough / 31536000) * 31536000);
    pen.textAlign = "center";
    pen.textBaseline = "top";
    for (let t = Math.ceil(this.start / stepMs) * stepMs; t <= this.end; t += stepMs) {
      const x = Math.round(this.x(t)) + 0.5;
      pen.moveTo(x, MARGIN.top);
      pen.lineTo(x, this.bottom);
      pen.fillText(timeLabel(t, stepMs), x, this.bottom + 9);
    }
    pen.stroke();
  }

  /* A null or a long step lifts the pen; a value alone between two gaps is a dot. */
  drawCurve(pen, colour) {
    const { instants, values } = this.series;
    pen.strokeStyle = pen.fillStyle = colour("--curve");
    pen.lineWidth = 1.5;
    pen.lineJoin = "round";
    pen.beginPath();
    let down = false;
    for (let i = 0; i < values.length; i += 1) {
      if (values[i] === null) { down = false; continue; }
      if (i > 0 && instants[i] - instants[i - 1] > this.longestStep) down = false;
      const x = this.x(instants[i]), y = this.y(values[i]);
      if (down) pen.lineTo(x, y); else pen.moveTo(x, y);
      const alone = !down && (i + 1 === values.length || values[i + 1] === null ||
        instants[i + 1] - instants[i] > this.longestStep);
      if (alone) pen.fillRect(x - 1.25, y - 1.25, 2.5, 2.5);
      down = true;
    }
    pen.stroke();
    pen.lineWidth = 1;
  }

  drawMarks(pen, colour) {
    pen.strokeStyle = colour("--mark");
    for (const [t, v] of this.series.marks) {
      if (t < this.start || t > this.end) continue;
      pen.beginPath();
      pen.arc(this.x(t), this.y(v), 4, 0, 7);
      pen.stroke();
    }
  }

  drawPointer(pen, colour, pointerX) {
    const at = pointerX === undefined ? -1 : this.nearest(pointerX);
    if (at < 0) { this.readout.textContent = ""; return; }
    const { instants, values, counts, unit } = this.series;
    const x = this.x(instants[at]), y = this.y(values[at]);
    pen.strokeStyle = colour("--faint");
    pen.beginPath();
    pen.moveTo(x, MARGIN.top);
    pen.lineTo(x, this.bottom);
    pen.stroke();
    pen.fillStyle = colour("--curve");
    pen.beginPath();
    pen.arc(x, y, 3.5, 0, 7);
    pen.fill();
    const time = new Date(instants[at]).toISOString().replace("T", " ").replace(/\.000Z$/, "Z");
    const samples = counts && counts[at] !== 1 ? ` (${counts[at]} samples)` : "";
    this.readout.textContent = `${time}  ${Number(values[at].toPrecision(9))} ${unit}${samples}`;
  }

  /* Index of the point with a value whose instant is nearest to the pointer. */
  nearest(pointerX) {
    const { instants, values } = this.series;
    const t = this.start + (pointerX - MARGIN.left) / (this.right - MARGIN.left) * (this.end - this.start);
    let low = 0, high = instants.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (instants[middle] < t) low = middle + 1; else high = middle;
    }
    let before = low - 1, after = low;
    while (after < values.length && values[after] === null) after += 1;
    while (before >= 0 && values[before] === null) before -= 1;
    if (after >= values.length) return before;
    return before >= 0 && t - instants[before] < instants[after] - t ? before : after;
  }
}
