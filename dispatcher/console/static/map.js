// The map: what is open, kept current by the stream; what stands there; and a list of the same for the keyboard.
import { whenChanged } from "./changes.js";
import { Cells } from "./map_cells.js";
import { Things, svgOf } from "./map_things.js";
import { part } from "./page.js";

const LISTED_MAX = 100;
const AT_ONCE = 100; // ids in one address
const element = document.getElementById("map");
const list = document.getElementById("list");
const count = document.getElementById("count");
const level = document.getElementById("level");
const { tiles, credit, zoomIn, zoomOut } = element.dataset;
const asked = new URLSearchParams(location.search);

const map = L.map(element, { zoomControl: false, attributionControl: Boolean(tiles), maxZoom: 19, zoomSnap: 0.5 });
L.control.zoom({ zoomInTitle: zoomIn, zoomOutTitle: zoomOut }).addTo(map);
if (tiles) {
  const named = document.createElement("span");
  named.textContent = credit; // as text, whatever it holds
  map.attributionControl.setPrefix(false);
  L.tileLayer(tiles, { maxZoom: 19, attribution: named.innerHTML }).addTo(map);
}

// --- where one looks is in the address: #zoom/lat/lon ---
const [west, south, east, north] = element.dataset.bounds.split(",").map(Number);
const at = location.hash.slice(1).split("/").map(Number);
if (at.length === 3 && at.every(Number.isFinite)) map.setView([at[1], at[2]], at[0]);
else map.fitBounds([[south, west], [north, east]]);
function remember() {
  for (const [name, value] of [...asked]) if (!value) asked.delete(name, value);
  const { lat, lng } = map.getCenter();
  const query = asked.size ? `?${asked}` : "";
  history.replaceState(null, "", `${location.pathname}${query}#${map.getZoom()}/${lat.toFixed(5)}/${lng.toFixed(5)}`);
}
map.on("moveend", remember);

// --- cells, and things ---
const cells = new Cells(map, Number(element.dataset.levels));
level.value = asked.get("level") ?? "";
level.addEventListener("change", () => {
  level.value ? asked.set("level", level.value) : asked.delete("level");
  remember();
  cells.choose(level.value);
});
cells.choose(level.value);
document.getElementById("theme").addEventListener("click", () => cells.coloured());

const things = new Things(map);
for (const box of document.querySelectorAll("[name=show]")) {
  box.checked = asked.getAll("show").includes(box.value);
  if (box.checked) things.show(box.value, true);
  box.addEventListener("change", () => {
    asked.delete("show");
    for (const each of document.querySelectorAll("[name=show]:checked")) asked.append("show", each.value);
    remember();
    things.show(box.value, box.checked);
  });
}

// --- what is open ---
const dots = new Map(); // id: the incident, with its marker
const markers = L.layerGroup().addTo(map);
let more = false;

function place(dot) {
  dots.get(dot.id)?.marker.remove();
  const icon = L.divIcon({ className: "", iconSize: [24, 24], html: svgOf(`dot s${dot.severity}${dot.overdue ? " overdue" : ""}`, dot.overdue ? [dot.severity, "overdue"] : [dot.severity]) });
  dot.marker = L.marker([dot.lat, dot.lon], { icon, keyboard: false, riseOnHover: true, zIndexOffset: (4 - dot.severity) * 1000 });
  dot.marker.bindTooltip(() => told(dot), { direction: "top", offset: [0, -8] });
  dot.marker.on("click", () => location.assign(`/console/incidents/${encodeURIComponent(dot.id)}`));
  dot.marker.on("mouseover mouseout", ({ type }) => mark(dot.id, type === "mouseover"));
  dot.marker.addTo(markers);
  dots.set(dot.id, dot);
}

function told({ severity, category, place, lead, overdue, exact }) {
  const span = document.createElement("span");
  const { overdue: late, approximate } = list.dataset;
  const rest = [category, place, lead, overdue ? late : "", exact ? "" : approximate].filter(Boolean).join(" · ");
  span.append(list.querySelector(`template[data-severity="${severity}"]`).content.cloneNode(true), ` ${rest}`);
  return span;
}

function mark(id, on) {
  const dot = dots.get(id);
  dot?.marker.getElement()?.querySelector("svg")?.classList.toggle("marked", on);
  document.getElementById(`at-${id}`)?.classList.toggle("marked", on);
}

function address(ids) {
  const query = new URLSearchParams(asked);
  for (const name of ["show", "level"]) query.delete(name);
  for (const id of ids) query.append("ids", id);
  return `${list.dataset.part}?${query}`;
}

async function draw(ids) {
  const wanted = ids?.filter((id) => id !== "control");
  if (wanted?.length === 0) return;
  for (let first = 0; first < (wanted?.length ?? 1); first += AT_ONCE) {
    const some = wanted?.slice(first, first + AT_ONCE) ?? [];
    const found = JSON.parse(await part(address(some)));
    const kept = new Set(found.dots.map((dot) => dot.id));
    for (const id of wanted ? some : [...dots.keys()]) {
      if (kept.has(id)) continue;
      dots.get(id)?.marker.remove();
      dots.delete(id);
    }
    if (!wanted) more = found.more;
    found.dots.forEach(place);
  }
  say();
}
whenChanged(250, draw);
draw(null); // before the line to the server stands

// The incidents in view, in the order to work on them.
function say() {
  const view = map.getBounds();
  const inside = [...dots.values()].filter(({ lat, lon }) => view.contains([lat, lon])).sort((a, b) => (a.order < b.order ? -1 : 1));
  const focused = document.activeElement?.closest("#list li")?.id;
  const lines = inside.slice(0, LISTED_MAX).map((dot) => {
    const line = document.createElement("li");
    line.id = `at-${dot.id}`;
    const link = Object.assign(document.createElement("a"), { href: `/console/incidents/${encodeURIComponent(dot.id)}`, textContent: dot.category });
    const quiet = Object.assign(document.createElement("span"), { className: "quiet", textContent: [dot.place, dot.lead, dot.overdue ? list.dataset.overdue : ""].filter(Boolean).join(" · ") });
    line.append(list.querySelector(`template[data-severity="${dot.severity}"]`).content.cloneNode(true), " ", link, quiet);
    return line;
  });
  list.replaceChildren(...list.querySelectorAll("template"), ...lines);
  if (focused) document.getElementById(focused)?.querySelector("a").focus({ preventScroll: true });
  count.textContent = count.dataset.text.replace("{shown}", inside.length).replace("{count}", dots.size) + (more ? ` · ${count.dataset.more}` : "");
}
map.on("moveend", say);
for (const [event, on] of [["focusin", true], ["focusout", false], ["mouseover", true], ["mouseout", false]]) {
  list.addEventListener(event, ({ target }) => {
    const line = target.closest("li");
    if (line) mark(line.id.slice(3), on);
  });
}

// --- what is here ---
map.on("click", async ({ latlng }) => {
  const { lng: lon, lat } = latlng.wrap();
  const found = JSON.parse(await part(`/v1/nearest?lon=${lon}&lat=${lat}&count=3`));
  const around = document.getElementById("around");
  const lines = [line(found.responsible.map(({ name, unit }) => (unit ? `${name} (${unit.name})` : name)).join(" › ") || around.dataset.nowhere)];
  const code = found.place.cell;
  if (code) {
    const only = new URLSearchParams(asked);
    only.set("cell", code);
    lines.push(Object.assign(document.createElement("a"), { href: `/console/map?${only}${location.hash}`, textContent: around.dataset.only }));
  }
  for (const kind of ["centres", "compounds", "assets"]) {
    for (const { name, id, metres } of found[kind]) lines.push(line(`${around.dataset[kind]}: ${name || id}, ${around.dataset.metres.replace("{metres}", Math.round(metres))}`));
  }
  around.replaceChildren(...lines);
  document.getElementById("here").hidden = false;
  await cells.mark(found.place.path);
});
const line = (text) => Object.assign(document.createElement("p"), { textContent: text });

document.getElementById("filters").addEventListener("change", ({ currentTarget }) => currentTarget.requestSubmit());
document.getElementById("filters").addEventListener("submit", (event) => {
  event.preventDefault(); // where one looks, and at what, stays
  for (const select of event.currentTarget.querySelectorAll("select")) select.value ? asked.set(select.name, select.value) : asked.delete(select.name);
  remember();
  draw(null);
});
