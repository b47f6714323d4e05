// People and vehicles on the floor plan; an element each, for as long as it is there.

import { points, shape } from "./svg.js";

const PERSON_M = 0.3;
const LEAST = 9;
const ARROW_S = 1;

export class MovingThings {
  #shown = new Map();

  constructor(surface, words) {
    this.surface = surface;
    this.words = words;
    this.layer = shape("g", {});
  }

  show({ people, seen, vehicles }) {
    const present = new Set();
    for (const vehicle of vehicles) this.#vehicle(vehicle, present);
    for (const thing of seen) this.#thing(thing, "vehicle", present);
    for (const thing of people) this.#thing(thing, "person", present);
    for (const [key, element] of this.#shown) {
      if (present.has(key)) continue;
      element.remove();
      this.#shown.delete(key);
    }
  }

  #element(key, name, present) {
    present.add(key);
    if (!this.#shown.has(key)) {
      const made = shape("g", { class: name });
      this.layer.append(made);
      this.#shown.set(key, made);
    }
    return this.#shown.get(key);
  }

  #thing({ id, at, axes, angle, velocity }, kind, present) {
    const element = this.#element(`${kind}-${id}`, `thing ${kind}`, present);
    const [x, y] = this.surface.toView(at);
    const { scale } = this.surface;
    const turned = `rotate(${(-angle * 180) / Math.PI})`;
    const parts = [shape("ellipse", { rx: axes[0] * scale, ry: axes[1] * scale, transform: turned, class: "unsure" })];
    if (Math.hypot(...velocity) > 0.2) {
      const [dx, dy] = velocity.map((each) => each * ARROW_S * scale);
      parts.push(shape("path", { d: `M0 0L${dx} ${-dy}`, class: "course" }));
    }
    const r = Math.max(LEAST, PERSON_M * scale);
    parts.push(
      kind === "person"
        ? shape("circle", { r, class: "body" })
        : shape("rect", { x: -r, y: -r, width: 2 * r, height: 2 * r, class: "body" }),
    );
    const title = shape("title", {});
    title.textContent = `${this.words[kind]} ${id}`;
    element.replaceChildren(...parts, title);
    element.style.transform = `translate(${x}px, ${y}px)`;
  }

  // The outline moves with every moment; an element is replaced as a whole.
  #vehicle({ id, name, speed, footprint, field }, present) {
    const element = this.#element(`reported-${id}`, "thing reported", present);
    const view = (corners) => corners.map((corner) => this.surface.toView(corner));
    const corners = view(footprint);
    const parts = [
      shape("polygon", { points: points(view(field)), class: "protective-field" }),
      shape("polygon", { points: points(corners), class: "body" }),
    ];
    const top = Math.min(...corners.map((corner) => corner[1]));
    const middle = corners.reduce((sum, [x]) => sum + x, 0) / corners.length;
    const label = shape("text", { x: middle, y: top - 8, class: "plan-label" });
    label.textContent = `${name} · ${speed.toFixed(1)} m/s`;
    element.replaceChildren(...parts, label);
  }
}
