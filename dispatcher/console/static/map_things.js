// What stands there, kind by kind, as far as it is in view and close enough to be told apart.
import { part } from "./page.js";

const FROM = { centres: 0, compounds: 13, assets: 16 }; // zoom

export function svgOf(className, marks) {
  return `<svg class="${className}" viewBox="-12 -12 24 24" aria-hidden="true">${marks.map((mark) => `<use href="#mark-${mark}"></use>`).join("")}</svg>`;
}

export class Things {
  constructor(map) {
    this.map = map;
    this.layers = new Map(); // kind: its markers
    map.on("moveend", () => [...this.layers.keys()].forEach((kind) => this.draw(kind)));
  }

  show(kind, shown) {
    this.layers.get(kind)?.remove();
    this.layers.delete(kind);
    if (shown) {
      this.layers.set(kind, L.layerGroup().addTo(this.map));
      this.draw(kind);
    } else document.querySelector(`[data-closer=${kind}]`).hidden = true;
  }

  async draw(kind) {
    const layer = this.layers.get(kind);
    const close = this.map.getZoom() >= FROM[kind];
    document.querySelector(`[data-closer=${kind}]`).hidden = close;
    if (!close) return layer.clearLayers();
    const view = this.map.getBounds();
    const box = [view.getWest(), view.getSouth(), view.getEast(), view.getNorth()].map((edge) => edge.toFixed(6)).join(",");
    const { things } = JSON.parse(await part(`/console/map/things?kind=${kind}&bbox=${box}`));
    if (this.layers.get(kind) !== layer) return;
    layer.clearLayers();
    const icon = L.divIcon({ className: "", iconSize: [24, 24], html: svgOf(`thing ${kind}`, [kind]) });
    for (const { lat, lon, name, id } of things) {
      const label = document.createElement("span");
      label.textContent = name || id;
      L.marker([lat, lon], { icon, keyboard: false, zIndexOffset: -5000 }).bindTooltip(label, { direction: "top", offset: [0, -6] }).addTo(layer);
    }
  }
}
