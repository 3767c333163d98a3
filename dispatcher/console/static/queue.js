// The operators' queue: changed lines are fetched and put where they belong.
import { whenChanged } from "./changes.js";
import { nodesOf, part, ring } from "./page.js";

const EVERY_MS = 250;
const AT_ONCE = 100; // ids in one address
const body = document.getElementById("lines");
const shown = document.getElementById("shown");

function place(row) {
  const old = document.getElementById(row.id);
  const urgent = Number(row.dataset.severity) <= 2;
  if ((!old && urgent) || (old && row.dataset.light === "overdue" && old.dataset.light !== "overdue")) ring();
  if (!old) row.classList.add("new");
  const focused = old?.contains(document.activeElement) ? document.activeElement : null;
  old?.remove();
  // by halves: the rows stand in their order
  const rows = body.children;
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].dataset.order < row.dataset.order) low = middle + 1;
    else high = middle;
  }
  body.insertBefore(row, rows[low] ?? null);
  if (focused) (focused.tagName === "TR" ? row : row.querySelector("a.to"))?.focus({ preventScroll: true });
}

function address(ids) {
  const asked = new URLSearchParams(location.search);
  for (const [name, value] of [...asked]) if (!value) asked.delete(name, value);
  for (const id of ids) asked.append("ids", id);
  return `${body.dataset.rows}?${asked}`;
}

async function draw(ids) {
  if (ids === null) {
    const fresh = nodesOf(await part(address([])), "tbody");
    const kept = new Set(fresh.map((row) => row.id));
    for (const row of [...body.children]) if (!kept.has(row.id)) row.remove();
    fresh.forEach(place);
  } else {
    for (let at = 0; at < ids.length; at += AT_ONCE) {
      const some = ids.slice(at, at + AT_ONCE);
      const fresh = nodesOf(await part(address(some)), "tbody");
      const found = new Set(fresh.map((row) => row.dataset.id));
      for (const id of some) if (!found.has(id)) document.getElementById(`line-${id}`)?.remove();
      fresh.forEach(place);
    }
  }
  shown.textContent = shown.dataset.text.replace("{count}", body.children.length);
  document.getElementById("empty").hidden = body.children.length > 0;
}
whenChanged(EVERY_MS, draw);

document.getElementById("filters").addEventListener("change", (event) => event.currentTarget.requestSubmit());
document.getElementById("filters").addEventListener("submit", (event) => {
  for (const select of event.currentTarget.querySelectorAll("select")) select.disabled = !select.value; // a short address
});
addEventListener("pageshow", () => {
  for (const select of document.querySelectorAll("#filters select")) select.disabled = false;
});

body.dataset.keys = "1"; // they are listened to from here on
document.addEventListener("keydown", (event) => {
  if (event.target.closest("input, select, textarea, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
  const here = document.activeElement.closest("#lines > tr");
  const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
  if (step && (here || event.key === "j" || event.key === "k")) {
    event.preventDefault();
    const next = !here ? body.firstElementChild : step > 0 ? here.nextElementSibling : here.previousElementSibling;
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  }
  if (event.key === "Enter" && document.activeElement === here) here?.querySelector("a.to").click();
});
