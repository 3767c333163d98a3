// The page of the policy: what stands is drawn anew when it changes; what is tried or checked changes nothing.
import { send } from "./acting.js";
import { whenChanged } from "./changes.js";
import { part, toast, words } from "./page.js";

const standing = document.getElementById("standing");
const cards = document.getElementById("cards");
const lang = document.documentElement.lang.startsWith("zh") ? "zh" : "en";

function wrong(form, text) {
  const place = form.querySelector(".wrong");
  [place.textContent, place.hidden] = [text, !text];
}
const failed = (error) => (error.answered ? words.failed.replace("{detail}", error.message) : words.offline);

async function draw() {
  const html = await part(standing.dataset.part);
  if (html !== null) standing.innerHTML = html;
}
whenChanged(250, (ids) => (ids?.includes("control") ? draw() : undefined));

// The past of a city is long: the cards come as far as they are counted, until all of it is.
async function count() {
  cards.innerHTML = (await part(cards.dataset.part)) ?? "";
  if (cards.querySelector("[data-more]")) setTimeout(count, 500);
}
count();

// --- approving ---
const approve = document.getElementById("approve");
let approving = null;
standing.addEventListener("click", ({ target }) => {
  const what = target.dataset?.approve;
  if (!what) return;
  const row = target.closest("tr");
  approving = { what, sha256: row.dataset.sha256, expects: document.getElementById("now").dataset.sha256 };
  const title = document.getElementById("approve-title");
  title.textContent = title.dataset[what].replace("{what}", row.cells[what === "activate" ? 0 : 1].textContent);
  approve.querySelector("form").reset();
  wrong(approve, "");
  approve.showModal();
});
approve?.querySelector(".cancel").addEventListener("click", () => approve.close());
approve?.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { what, ...body } = approving;
  try {
    const said = await send(`/v1/policy/${what}?wait_s=10`, { ...body, reason: event.target.elements.reason.value });
    if (said.state === "refused") return wrong(approve, words.refused.replace("{detail}", said.detail));
    approve.close();
    toast(said.state === "taken" ? words.done : words.onItsWay);
    await draw();
  } catch (error) {
    wrong(approve, failed(error));
  }
});

// --- trying a report ---
const trying = document.getElementById("try");
trying?.addEventListener("submit", async (event) => {
  event.preventDefault();
  wrong(trying, "");
  const shown = document.getElementById("tried");
  const fields = Object.fromEntries([...new FormData(trying)].filter(([, value]) => value));
  try {
    const asked = { report: fields.json ? JSON.parse(fields.json) : reportOf(fields), lang };
    for (const name of ["mode", "policy"]) if (fields[name]) asked[name] = fields[name];
    if (fields.at) asked.at = new Date(fields.at).toISOString();
    const said = await send("/v1/policy/explain", asked);
    shown.textContent = said.text ?? shown.dataset.rejected.replace("{reason}", said.rejected.reason).replace("{detail}", said.rejected.detail);
  } catch (error) {
    wrong(trying, error instanceof SyntaxError ? words.failed.replace("{detail}", error.message) : failed(error));
  }
});

// `lon, lat`, or a cell.
function reportOf({ category, source, place, severity, text, at }) {
  const made = { source, report_id: "tried", category, reported_at: (at ? new Date(at) : new Date()).toISOString() };
  const position = place?.match(/^\s*(-?\d+(?:\.\d+)?)\s*[,，\s]\s*(-?\d+(?:\.\d+)?)\s*$/);
  if (position) made.location = { lon: Number(position[1]), lat: Number(position[2]) };
  else if (place) made.location = { cell: place.trim() };
  if (severity) made.severity = Number(severity);
  if (text) made.text = text;
  return made;
}

// --- checking a policy ---
const checking = document.getElementById("check");
checking?.addEventListener("submit", async (event) => {
  event.preventDefault();
  wrong(checking, "");
  const button = checking.querySelector("button.first");
  button.disabled = true;
  try {
    const files = {};
    for (const file of document.getElementById("files").files) {
      const path = file.webkitRelativePath.split("/").slice(1).join("/") || file.name;
      if (/\.(ya?ml|csv)$/.test(path)) files[path] = await file.text();
    }
    const one = document.getElementById("one").value;
    if (one) files["policy.yaml"] = one;
    if (!Object.keys(files).length) return wrong(checking, words.nothingTicked);
    show(await send("/v1/policy/validate", { files, keep: document.getElementById("keep").checked, lang }));
    await draw();
  } catch (error) {
    wrong(checking, failed(error));
  } finally {
    button.disabled = false;
  }
});

function show(said) {
  const shown = document.getElementById("checked");
  const { good, kept, bad, unmet } = shown.dataset;
  const lines = [];
  if (said.sha256 === null) lines.push(bad.replace("{count}", said.problems.length));
  else lines.push(good.replace("{policy}", `${said.name} ${said.version}`).replace("{sha}", said.sha256.slice(0, 12)));
  if (said.unmet.length) lines.push(unmet.replace("{what}", said.unmet.join("; ")));
  if (said.kept) lines.push(kept);
  const list = document.createElement("ul");
  for (const problem of said.problems) {
    const line = document.createElement("li");
    const place = document.createElement("code");
    place.textContent = `${problem.file}:${problem.line}:${problem.column} ${problem.code}`;
    line.append(place, ` ${problem.message}${problem.hint ? ` (${problem.hint})` : ""}`);
    list.append(line);
  }
  shown.replaceChildren(...lines.map((text) => Object.assign(document.createElement("p"), { textContent: text })), list);
}
