// A department's or an officer's page: small, so it is drawn anew as a whole; what is ticked stays ticked.
import { send } from "./acting.js";
import { whenChanged } from "./changes.js";
import { nodesOf, part, ring, toast, words } from "./page.js";

const whole = document.getElementById("sections");
const ids = (of) => new Set([...of.querySelectorAll("[data-id]")].map((each) => each.dataset.id));

async function draw() {
  const html = await part(whole.dataset.here);
  const fresh = nodesOf(html).find((each) => each.querySelector?.("#sections"))?.querySelector("#sections");
  const known = ids(whole);
  const ticked = new Set([...whole.querySelectorAll("[name=id]:checked")].map((each) => each.value));
  const anew = [...fresh.querySelectorAll("[data-id]")].filter((each) => !known.has(each.dataset.id));
  if (anew.some((each) => each.querySelector(".s1, .s2"))) ring();
  whole.replaceChildren(...fresh.childNodes);
  for (const each of whole.querySelectorAll("[name=id]")) each.checked = ticked.has(each.value);
}
whenChanged(500, draw);

whole.addEventListener("change", (event) => {
  if (event.target.id !== "all") return;
  for (const each of whole.querySelectorAll("[name=id]")) each.checked = event.target.checked;
});

whole.addEventListener("submit", async (event) => {
  event.preventDefault();
  const ticked = [...whole.querySelectorAll("[name=id]:checked")].map((each) => each.value);
  if (!ticked.length) return toast(words.nothingTicked, true);
  const at = new Date().toISOString();
  const updates = ticked.map((id) => ({ incident_id: id, update_id: crypto.randomUUID(), action: "acknowledge", at }));
  try {
    const said = await send(`/v1/updates?wait_s=5&as=${encodeURIComponent(event.target.dataset.role)}`, updates);
    const refused = said.updates.filter((each) => each.state === "refused");
    if (refused.length) toast(words.refused.replace("{detail}", refused.map((each) => `${each.incident_id}: ${each.detail}`).join("; ")), true);
    else toast(words.done);
    await draw();
  } catch (error) {
    toast(error.answered ? words.failed.replace("{detail}", error.message) : words.offline, true);
  }
});
