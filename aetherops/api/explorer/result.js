/* The answer as indented JSON. Long columns show their beginning, and the rest when asked. */

const SHOWN_ITEMS = 12;

function renderJson(value, indent = "") {
  if (Array.isArray(value)) return renderList(value, indent);
  if (value !== null && typeof value === "object") return renderObject(value, indent);
  const tone = typeof value === "string" ? "string" : typeof value === "number" ? "number" : "keyword";
  return element("span", { className: `tone-${tone}` }, JSON.stringify(value));
}

function renderObject(value, indent) {
  const keys = Object.keys(value);
  if (keys.length === 0) return document.createTextNode("{}");
  const shown = document.createDocumentFragment();
  shown.append("{");
  keys.forEach((key, i) => {
    const name = element("span", { className: key === "errors" ? "tone-wrong" : "tone-field" }, JSON.stringify(key));
    shown.append(`\n${indent}  `, name, ": ", renderJson(value[key], indent + "  "), i < keys.length - 1 ? "," : "");
  });
  shown.append(`\n${indent}}`);
  return shown;
}

function renderList(items, indent) {
  const flat = items.every((item) => item === null || typeof item !== "object");
  const shown = document.createDocumentFragment();
  shown.append("[");
  const add = (from, to) => {
    const part = document.createDocumentFragment();
    for (let i = from; i < to; i += 1) {
      part.append(flat ? (i ? ", " : "") : `${i ? "," : ""}\n${indent}  `, renderJson(items[i], indent + "  "));
    }
    return part;
  };
  const first = items.length > SHOWN_ITEMS * 2 ? SHOWN_ITEMS : items.length;
  shown.append(add(0, first));
  if (first < items.length) {
    const more = element("button", { className: "more", type: "button" }, `… ${(items.length - first).toLocaleString("en")} more`);
    more.addEventListener("click", () => more.replaceWith(add(first, items.length)));
    shown.append(" ", more);
  }
  shown.append(flat || items.length === 0 ? "]" : `\n${indent}]`);
  return shown;
}
