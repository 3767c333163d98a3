// Cells: one polygon of many rings on one canvas for all cells of a level, because a shape for each would be slow; not
// interactive for the same reason. What was clicked is told by the server, and drawn as a polygon of its own.
import { part } from "./page.js";

const LEAVES_FROM = 14; // zoom
const NAME_PX = [120, 18]; // a name takes about so much; one that would cover another is left out

const fetched = new Map();
// Cells by what is asked for: `level=2`, `leaves=true`; asked once.
function cellsOf(query) {
  if (!fetched.has(query)) {
    const asking = part(`/v1/grid.geojson?${query}`).then((text) => JSON.parse(text).features);
    asking.catch(() => fetched.delete(query));
    fetched.set(query, asking);
  }
  return fetched.get(query);
}

const turned = (ring) => ring.map(([lon, lat]) => [lat, lon]);
const polygonsOf = ({ type, coordinates }) => (type === "MultiPolygon" ? coordinates : [coordinates]);
const ringsOf = (geometry) => polygonsOf(geometry).flatMap((rings) => rings.map(turned));

function colour(name) {
  const [light, dark] = getComputedStyle(document.documentElement).getPropertyValue(name).match(/#[0-9a-f]{3,6}/gi) ?? ["#888", "#888"];
  const theme = document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  return theme === "dark" ? dark : light;
}

export class Cells {
  constructor(map, levels) {
    [this.map, this.levels, this.chosen, this.turn] = [map, levels, "", 0];
    this.canvas = L.canvas({ padding: 0.3 });
    this.lines = L.polygon([], { renderer: this.canvas, interactive: false, fill: false, weight: 1, smoothFactor: 1 }).addTo(map);
    this.around = L.polygon([], { renderer: this.canvas, interactive: false, fill: false, weight: 2.5, smoothFactor: 1 }).addTo(map);
    this.marked = L.polygon([], { renderer: this.canvas, interactive: false, weight: 3, fillOpacity: 0.15 }).addTo(map);
    this.names = L.layerGroup().addTo(map);
    this.coloured();
    map.on("zoomend moveend", () => this.draw());
  }

  coloured() {
    this.lines.setStyle({ color: colour("--quiet") });
    this.around.setStyle({ color: colour("--ink") });
    this.marked.setStyle({ color: colour("--accent") });
  }

  choose(level) {
    this.chosen = level;
    return this.draw();
  }

  // The query for what fits the zoom, and the level of the heavier lines around it.
  wanted() {
    const zoom = Math.floor(this.map.getZoom());
    const level = Number(this.chosen) || (zoom >= LEAVES_FROM ? 0 : Math.max(1, Math.min(this.levels, zoom - 10)));
    return [level ? `level=${level}` : "leaves=true", level === 1 ? "" : `level=${Math.max(1, Math.min(level ? level - 1 : 2, this.levels - 1))}`];
  }

  async draw() {
    const turn = ++this.turn;
    const [query, above] = this.wanted();
    const [cells, wider] = await Promise.all([cellsOf(query), above ? cellsOf(above) : []]);
    if (turn !== this.turn) return; // somebody has zoomed on meanwhile
    if (this.query !== query) {
      this.query = query;
      this.lines.setLatLngs(cells.flatMap(({ geometry }) => ringsOf(geometry).map((ring) => [ring])));
      this.around.setLatLngs(wider.flatMap(({ geometry }) => ringsOf(geometry).map((ring) => [ring])));
      document.getElementById("map").dataset.cells = `${query} ${cells.length}`;
    }
    this.names.clearLayers();
    if (!this.name(cells)) this.name(wider);
  }

  // Returns whether they could be named: there is room for most.
  name(cells) {
    const view = this.map.getBounds();
    const named = cells.map((cell) => [cell.properties.name, L.latLngBounds(ringsOf(cell.geometry)[0]).getCenter()]);
    const inside = named.filter(([, middle]) => view.contains(middle));
    const taken = [];
    const shown = inside.filter(([, middle]) => {
      const { x, y } = this.map.latLngToContainerPoint(middle);
      const free = taken.every((other) => Math.abs(other.x - x) > NAME_PX[0] || Math.abs(other.y - y) > NAME_PX[1]);
      if (free) taken.push({ x, y });
      return free;
    });
    if (shown.length < inside.length / 2) return false;
    for (const [name, middle] of shown) {
      const label = document.createElement("span");
      label.textContent = name;
      L.tooltip({ permanent: true, direction: "center", className: "cell-name", interactive: false }).setLatLng(middle).setContent(label).addTo(this.names);
    }
    return true;
  }

  // Mark a cell by the path to it, or none.
  async mark(path) {
    this.map.getContainer().dataset.marked = path?.at(-1) ?? "";
    if (!path?.length) return this.marked.setLatLngs([]);
    const found = (await cellsOf(`level=${path.length}`)).find((each) => each.properties.code === path.at(-1));
    this.marked.setLatLngs(found ? polygonsOf(found.geometry).map((rings) => rings.map(turned)) : []);
    return this.marked;
  }
}
