/* The parts put together. The token stays in this tab: the session's storage, never the URL. */

const TOKEN = "aetherops.token", QUERY = "aetherops.query", VARIABLES = "aetherops.variables";
const FIRST_QUERY = `# Choose a stream on the left, or write a question. Ctrl-Enter asks it.
{
  streams(first: 10) {
    nodes { name unit kind count first last }
    pageInfo { hasNextPage endCursor }
  }
}
`;

const byId = (id) => document.getElementById(id);
const token = byId("token"), filter = byId("filter"), status_ = byId("status"), runButton = byId("run");
const known = { schema: null, catalogue: null };
let plots = [];

/* A signal for the next question of a kind; it tells the one before that nobody waits for it. */
function lastOnly() {
  let asking = new AbortController();
  return () => {
    asking.abort();
    asking = new AbortController();
    return asking.signal;
  };
}
const nextRun = lastOnly(), nextLearn = lastOnly();

function takeTokenFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem(TOKEN, given);
    history.replaceState(null, "", location.pathname + location.search);
  }
  token.value = sessionStorage.getItem(TOKEN) || "";
}

async function ask(query, variables, signal) {
  const response = await fetch(location.pathname, {
    method: "POST",
    signal,
    headers: {
      "Content-Type": "application/json",
      Accept: "application/graphql-response+json, application/json;q=0.9",
      Authorization: `Bearer ${token.value.trim()}`,
    },
    body: JSON.stringify({ query, variables }),
  });
  const text = await response.text();
  return { status: response.status, bytes: text.length, body: JSON.parse(text) };
}

function say(text, wrong = false) {
  status_.textContent = text;
  status_.classList.toggle("wrong", wrong);
}

function show(body) {
  byId("result").replaceChildren(renderJson(body));
  plots = findSeries(body.data || {}).map((series) => new Plot(series));
  byId("plots").replaceChildren(...plots.map((plot) => plot.figure));
  plots.forEach((plot) => plot.draw());
}

async function run() {
  const signal = nextRun();
  runButton.disabled = true;
  say("Asking …");
  const started = performance.now();
  try {
    const variables = variablesEditor.text.trim() ? JSON.parse(variablesEditor.text) : null;
    const { status, bytes, body } = await ask(queryEditor.text, variables, signal);
    const ms = (performance.now() - started).toFixed(0);
    say(`${status}, ${ms} ms, ${(bytes / 1024).toFixed(1)} KiB`, Boolean(body.errors));
    show(body);
  } catch (error) {
    if (signal.aborted) return;
    say(error instanceof SyntaxError ? `Variables: ${error.message}` : `No answer: ${error.message}`, true);
  } finally {
    if (!signal.aborted) runButton.disabled = false;
  }
}

function renderLists() {
  const text = filter.value.trim().toLowerCase();
  const hint = () => [element("p", { className: "empty" }, "Paste a token to see what is here.")];
  byId("schema").replaceChildren(...(known.schema ? renderSchema(known.schema, text, (t) => queryEditor.insert(t)) : hint()));
  byId("streams").replaceChildren(...(known.catalogue ? renderStreams(known.catalogue, text, choose) : hint()));
}

function choose(stream) {
  const question = questionAbout(stream);
  queryEditor.text = question.query;
  variablesEditor.text = question.variables;
  run();
}

async function learn() {
  const signal = nextLearn();
  Object.assign(known, { schema: null, catalogue: null });
  if (token.value.trim()) {
    try {
      const [schema, catalogue] = await Promise.all([ask(INTROSPECTION, null, signal), ask(CATALOGUE, null, signal)]);
      known.schema = schema.body.data ? schema.body.data.__schema : null;
      known.catalogue = catalogue.body.data ? catalogue.body.data.streams : null;
      const problem = (schema.body.errors || catalogue.body.errors || [])[0];
      say(problem ? problem.message : "", Boolean(problem));
    } catch (error) {
      if (signal.aborted) return;
      say(`No answer: ${error.message}`, true);
    }
  }
  renderLists();
}

function select(name) {
  for (const other of ["streams", "schema"]) {
    byId(`tab-${other}`).setAttribute("aria-selected", String(other === name));
    byId(other).hidden = other !== name;
  }
}

takeTokenFromAddress();
const queryEditor = new Editor(byId("query"), "Query", sessionStorage.getItem(QUERY) || FIRST_QUERY, run);
const variablesEditor = new Editor(byId("variables"), "Variables", sessionStorage.getItem(VARIABLES) || "{}\n", run);
queryEditor.area.addEventListener("change", () => sessionStorage.setItem(QUERY, queryEditor.text));
variablesEditor.area.addEventListener("change", () => sessionStorage.setItem(VARIABLES, variablesEditor.text));
runButton.addEventListener("click", run);
filter.addEventListener("input", renderLists);
token.addEventListener("change", () => { sessionStorage.setItem(TOKEN, token.value.trim()); learn(); });
for (const name of ["streams", "schema"]) byId(`tab-${name}`).addEventListener("click", () => select(name));
const redraw = () => plots.forEach((plot) => plot.draw());
window.addEventListener("resize", redraw);
window.addEventListener("hashchange", () => { takeTokenFromAddress(); learn(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
learn();
