// One side of the matching: the picture or the plan, with a numbered handle for every pair.

import { viewPlace, viewScale } from "./surface.js";
import { shape } from "./svg.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class PairView {
  // told: { placed(index, place), added(place), removed(index), chosen(index) }; null: to look at only.
  constructor(svg, surface, label, told) {
    this.svg = svg;
    this.surface = surface;
    this.label = label;
    this.told = told;
    this.places = [];
    this.held = null;
    if (told) this.listen();
  }

  listen() {
    const release = () => { this.held = null; };
    this.svg.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const { pair } = event.target.closest("[data-pair]")?.dataset ?? {};
      this.held = pair === undefined ? null : Number(pair);
      if (this.held === null) this.held = this.told.added(this.at(event));
      else this.told.chosen(this.held);
      this.svg.setPointerCapture(event.pointerId);
      this.svg.querySelector(`[data-pair="${this.held}"]`)?.focus();
    });
    this.svg.addEventListener("pointermove", (event) => {
      if (this.held !== null) this.told.placed(this.held, this.at(event));
    });
    this.svg.addEventListener("pointerup", release);
    this.svg.addEventListener("pointercancel", release);
    this.svg.addEventListener("keydown", (event) => this.key(event));
  }

  at(event) {
    return this.surface.fromView(viewPlace(this.svg, event));
  }

  key(event) {
    const { pair } = event.target.dataset;
    if (pair === undefined) return;
    const index = Number(pair);
    if (event.key in ARROWS) {
      event.preventDefault();
      const place = this.surface.moved(this.places[index], ...ARROWS[event.key], event.shiftKey);
      this.told.placed(index, place);
      this.svg.querySelector(`[data-pair="${index}"]`)?.focus();
    } else if (event.key === "Delete") {
      event.preventDefault();
      this.told.removed(index);
    }
  }

  // below: shapes under the handles. states: "", "is-chosen" or "is-unused" for every pair.
  draw(places, states, below) {
    this.places = places;
    const focused = this.svg.contains(document.activeElement) ? document.activeElement.dataset.pair : undefined;
    const handles = places.map((place, index) => place && this.handle(place, index, states[index]));
    this.svg.replaceChildren(...below, ...handles.filter(Boolean));
    if (focused !== undefined) this.svg.querySelector(`[data-pair="${focused}"]`)?.focus();
  }

  handle(place, index, state) {
    const [x, y] = this.surface.toView(place);
    const scale = Math.max(1, viewScale(this.svg));
    const words = this.surface.shown(place).map((value) => value + this.surface.suffix).join(", ");
    const text = shape("text", { y: 5 * scale, "text-anchor": "middle", "font-size": 14 * scale }, String(index + 1));
    const cross = `M${-20 * scale} 0H${20 * scale}M0 ${-20 * scale}V${20 * scale}`;
    return shape(
      "g",
      {
        transform: `translate(${x} ${y})`,
        class: `pair ${state}`,
        tabindex: 0,
        role: "button",
        "data-pair": index,
        "aria-label": `${this.label} ${index + 1}: ${words}`,
      },
      shape("path", { d: cross }),
      shape("circle", { r: 11 * scale }),
      text,
    );
  }
}
