/* A text area with line numbers and colours: the text is typed above a painted copy. */

const GRAPHQL_TOKENS = /(#[^\n]*)|("""[\s\S]*?"""|"(?:\\.|[^"\\\n])*")|(-?\b\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b)|(\b(?:query|fragment|on|true|false|null)\b|\$\w+|@\w+)|([A-Za-z_]\w*)/g;
const TONES = ["comment", "string", "number", "keyword", "field"];

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function paint(text) {
  const painted = document.createDocumentFragment();
  let end = 0;
  for (const match of text.matchAll(GRAPHQL_TOKENS)) {
    const tone = TONES.find((_, i) => match[i + 1] !== undefined);
    painted.append(text.slice(end, match.index), element("span", { className: `tone-${tone}` }, match[0]));
    end = match.index + match[0].length;
  }
  painted.append(text.slice(end) + "\n");
  return painted;
}

class Editor {
  constructor(place, label, text, onRun) {
    this.lines = element("pre", { className: "lines", ariaHidden: "true" });
    this.copy = element("pre", { ariaHidden: "true" });
    this.area = element("textarea", { spellcheck: false, autocomplete: "off", ariaLabel: label, wrap: "off" });
    place.append(this.lines, element("div", { className: "page" }, this.copy, this.area));
    this.area.addEventListener("input", () => this.refresh());
    this.area.addEventListener("keydown", (event) => this.press(event, onRun));
    this.text = text;
  }

  get text() { return this.area.value; }

  set text(text) {
    this.area.value = text;
    this.refresh();
  }

  refresh() {
    const text = this.text;
    this.copy.replaceChildren(paint(text));
    this.lines.textContent = text.split("\n").map((_, i) => i + 1).join("\n");
    this.area.dispatchEvent(new Event("change"));
  }

  press(event, onRun) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      onRun();
    } else if (event.key === "Tab" && !event.shiftKey && !event.ctrlKey) {
      event.preventDefault();
      this.insert("  ");
    }
  }

  insert(text) {
    this.area.setRangeText(text, this.area.selectionStart, this.area.selectionEnd, "end");
    this.area.focus();
    this.refresh();
  }
}
