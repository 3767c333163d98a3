// The page of modes: what would be done is looked at before it is ordered.
import { send, sendFor } from "./acting.js";
import { whenChanged } from "./changes.js";
import { part, toast, words } from "./page.js";

const held = document.getElementById("held");
const setting = document.getElementById("set");
const dialog = document.getElementById("order");
let order = null; // what the dialog is about: where it is sent, and with what besides the reason

async function draw() {
  const html = await part(held.dataset.part);
  if (html !== null && html !== held.innerHTML) held.innerHTML = html;
}
whenChanged(250, (ids) => (ids === null || ids.includes("control") ? draw() : undefined));

function wrong(form, text) {
  const place = form.querySelector(".wrong");
  [place.textContent, place.hidden] = [text, !text];
}

async function ask(kind, path, body, look) {
  order = { path, body };
  const title = document.getElementById("order-title");
  title.textContent = title.dataset[kind];
  const button = dialog.querySelector("button.first");
  button.textContent = button.dataset[kind].replace("…", "");
  wrong(dialog, "");
  dialog.querySelector("form").reset();
  const foreseen = document.getElementById("foreseen");
  foreseen.hidden = !look;
  if (look) foreseen.innerHTML = await sendFor("/console/mode/foreseen", look);
  dialog.showModal();
  document.getElementById("reason").focus();
}

function chosen() {
  if (new FormData(setting).get("where") === "city") return [];
  const named = setting.elements.others.value.split(/[\s,，、]+/).filter(Boolean);
  return [...new Set([...[...setting.elements.cells.selectedOptions].map((each) => each.value), ...named])];
}

setting?.addEventListener("submit", async (event) => {
  event.preventDefault();
  wrong(setting, "");
  const fields = new FormData(setting);
  const cells = chosen();
  if (!cells.length && fields.get("where") !== "city") return wrong(setting, words.nothingTicked);
  const body = { mode: fields.get("mode"), cells, until: new Date(fields.get("until")).toISOString() };
  try {
    await ask("set", "/v1/modes", body, { mode: body.mode, cells });
  } catch (error) {
    wrong(setting, error.answered ? error.message : words.offline);
  }
});

setting?.addEventListener("click", (event) => {
  const hours = Number(event.target.dataset?.aheadH ?? 0);
  if (hours) setting.elements.until.value = ahead(hours);
});
setting?.addEventListener("change", () => {
  document.getElementById("choose").hidden = new FormData(setting).get("where") === "city";
});

// As a field for local time has it, to the minute.
function ahead(hours) {
  const then = new Date(Date.now() + hours * 3600000);
  return new Date(then.getTime() - then.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}
if (setting && !setting.elements.until.value) setting.elements.until.value = ahead(6);

held.addEventListener("click", async (event) => {
  const { order: kind, modeId, cells } = event.target.dataset;
  try {
    if (kind === "end") await ask("end", `/v1/modes/${encodeURIComponent(modeId)}/end`, {});
    if (kind === "reroute") {
      const where = { cells: cells.split(" ").filter(Boolean) };
      await ask("reroute", "/v1/modes/reroute", where, where);
    }
  } catch (error) {
    toast(error.answered ? words.failed.replace("{detail}", error.message) : words.offline, true);
  }
});

dialog?.addEventListener("click", (event) => event.target.classList.contains("cancel") && dialog.close());
dialog?.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = dialog.querySelector("button.first");
  button.disabled = true;
  try {
    const said = await send(`${order.path}?wait_s=10`, { ...order.body, reason: document.getElementById("reason").value });
    if (said.state === "refused") return wrong(dialog, words.refused.replace("{detail}", said.detail));
    dialog.close();
    toast(said.state === "taken" ? words.done : words.onItsWay);
    await draw();
  } catch (error) {
    wrong(dialog, error.answered ? words.failed.replace("{detail}", error.message) : words.offline);
  } finally {
    button.disabled = false;
  }
});
