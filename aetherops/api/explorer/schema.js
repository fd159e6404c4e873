/* What may be asked: types and fields from introspection, streams from the catalogue. */

const INTROSPECTION = `query Introspection { __schema { queryType { name } types {
  kind name description
  fields { name description args { name description defaultValue type { ...Type } } type { ...Type } }
  inputFields { name description defaultValue type { ...Type } }
  enumValues { name description } } } }
fragment Type on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }`;

const CATALOGUE = `query Catalogue { streams(first: 500) { nodes { name unit kind count first last }
  pageInfo { hasNextPage } } }`;

const BUCKETS = 400;
const LONGEST_RANGE_MS = 86400e3;
const LAST_MS = Date.parse("9999-12-31T23:59:59.999Z");

function typeText(type) {
  if (type.kind === "NON_NULL") return `${typeText(type.ofType)}!`;
  return type.kind === "LIST" ? `[${typeText(type.ofType)}]` : type.name;
}

function namedKind(type) {
  return type.ofType ? namedKind(type.ofType) : type.kind;
}

/* A field as one would begin to write it: required arguments, and braces where it has parts. */
function fieldTemplate(field) {
  const needed = (field.args || []).filter((a) => a.type.kind === "NON_NULL" && a.defaultValue === null);
  const list = needed.map((a) => `${a.name}: ${namedKind(a.type) === "SCALAR" ? '""' : "{}"}`).join(", ");
  return field.name + (list && `(${list})`) + (namedKind(field.type) === "OBJECT" ? " {  }" : " ");
}

function renderField(field, onInsert) {
  const args = (field.args || []).map((a) => `${a.name}: ${typeText(a.type)}${a.defaultValue === null ? "" : ` = ${a.defaultValue}`}`);
  const button = element("button", { className: "field", type: "button", title: "Insert" }, field.name);
  if (args.length) button.append(element("u", {}, `(${args.join(", ")})`));
  if (field.type) button.append(": ", element("i", {}, typeText(field.type)));
  if (field.description) button.append(element("small", {}, field.description));
  button.addEventListener("click", () => onInsert(field.type ? fieldTemplate(field) : field.name));
  return button;
}

function renderType(type, isRoot, onInsert) {
  const kind = type.kind.toLowerCase().replace("_object", "");
  const shown = element("details", { open: isRoot }, element("summary", {}, type.name, element("em", {}, kind)));
  if (type.description) shown.append(element("p", { className: "doc" }, type.description));
  for (const field of type.fields || type.inputFields || type.enumValues || []) {
    shown.append(renderField(field, onInsert));
  }
  return shown;
}

function renderSchema(schema, filter, onInsert) {
  const root = schema.queryType.name;
  const wanted = (type) => JSON.stringify(type).toLowerCase().includes(filter);
  const types = schema.types.filter((type) => !type.name.startsWith("__") && (!filter || wanted(type)));
  types.sort((a, b) => (b.name === root) - (a.name === root) || a.name.localeCompare(b.name));
  return types.map((type) => renderType(type, type.name === root || Boolean(filter), onInsert));
}

function renderStreams(page, filter, onChoose) {
  const streams = page.nodes.filter((stream) => stream.name.toLowerCase().includes(filter));
  if (!streams.length) return [element("p", { className: "empty" }, "No stream yet.")];
  const shown = streams.map((stream) => {
    const about = `${stream.count.toLocaleString("en")} samples${stream.unit && `, ${stream.unit}`}`;
    const button = element("button", { className: "stream", type: "button" }, element("b", {}, stream.name), element("span", {}, about));
    button.addEventListener("click", () => onChoose(stream));
    return button;
  });
  if (page.pageInfo.hasNextPage) shown.push(element("p", { className: "empty" }, "More streams are in the catalogue: ask streams(prefix: …)."));
  return shown;
}

/* A question about a stream: its latest day at most. */
function questionAbout(stream) {
  const last = stream.last ? Date.parse(stream.last) : Date.now();
  const first = stream.first ? Date.parse(stream.first) : last - LONGEST_RANGE_MS;
  const end = Math.floor(last / 1000 + 1) * 1000;
  const start = Math.floor(Math.max(first, end - LONGEST_RANGE_MS) / 1000) * 1000;
  // The last instant there is ends a range that holds it.
  const text = (ms) => ms > LAST_MS ? "9999-12-31T23:59:59.999999Z" : new Date(ms).toISOString().replace(".000Z", "Z");
  return {
    query: `query Telemetry($stream: String!, $range: TimeRange!) {
  telemetry(stream: $stream, range: $range, downsample: {buckets: ${BUCKETS}}) {
    stream { name unit }
    scanned
    returned
    resolution
    columns { epochUs values counts }
    statistics {
      count mean stddev min max
      percentiles(ranks: [5, 50, 95]) { rank value }
    }
    anomalies(threshold: 3, first: 100) { total epochUs values scores }
  }
}
`,
    variables: JSON.stringify({ stream: stream.name, range: { start: text(start), end: text(end) } }, null, 2) + "\n",
  };
}
