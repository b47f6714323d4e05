// Draws a zone's outline on a still picture or on the floor plan: with a pointer, a finger or
// the keyboard. The text field with the corners is what is sent; the drawing edits that field.

import { Outline } from "./outline.js";
import { planGround } from "./plan-ground.js";
import { snapped } from "./snapping.js";
import { keepReadable, surfaceOf, viewPlace, viewScale, WIDTH } from "./surface.js";
import { hatching, points, shape } from "./svg.js";

const REACH_PX = 12;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

class ZoneEditor {
  constructor(root, field, tools) {
    this.root = root;
    this.field = field;
    this.tools = tools;
    this.svg = root.querySelector("svg");
    this.picture = root.querySelector("img");
    const described = JSON.parse(root.dataset.surface);
    this.surface = surfaceOf(described);
    this.others = JSON.parse(root.dataset.others);
    this.editable = root.dataset.mayEdit === "yes";
    this.hatched = root.dataset.hatched === "yes";
    this.snaps = true;
    this.outline = new Outline(this.read());
    if (described.kind === "plan") {
      this.ground = planGround(this.surface, described);
      this.fit();
      keepReadable(this.svg);
    } else {
      this.listenToPicture();
    }
    if (this.editable) this.listen();
    this.draw();
  }

  read() {
    return this.field.value
      .split("\n")
      .map((line) => line.split(/[\s,]+/).filter(Boolean).map(Number))
      .filter((corner) => corner.length === 2 && corner.every(Number.isFinite))
      .map((corner) => this.surface.read(corner));
  }

  write() {
    this.field.value = this.outline.corners.map((each) => this.surface.shown(each).join(", ")).join("\n");
    this.field.dispatchEvent(new CustomEvent("outline", { bubbles: true }));
  }

  fit() {
    this.svg.setAttribute("viewBox", `0 0 ${WIDTH} ${this.surface.height}`);
  }

  listenToPicture() {
    const shown = () => {
      this.surface.height = (WIDTH * this.picture.naturalHeight) / this.picture.naturalWidth;
      this.fit();
      this.showPicture(true);
      this.draw();
    };
    this.picture.addEventListener("load", shown);
    this.picture.addEventListener("error", () => this.showPicture(false));
    if (this.picture.complete) {
      if (this.picture.naturalWidth > 0) shown();
      else this.showPicture(false);
    }
  }

  showPicture(there) {
    this.picture.hidden = !there;
    this.root.querySelector(".no-picture").hidden = there;
  }

  listen() {
    const release = () => { this.held = null; };
    this.svg.addEventListener("pointerdown", (event) => this.press(event));
    this.svg.addEventListener("pointermove", (event) => this.move(event));
    this.svg.addEventListener("pointerup", release);
    this.svg.addEventListener("pointercancel", release);
    this.svg.addEventListener("keydown", (event) => this.key(event));
    this.field.addEventListener("focus", () => this.outline.remember());
    this.field.addEventListener("input", () => {
      this.outline.corners = this.read();
      this.draw();
    });
    this.tools.hidden = false;
    this.tools.addEventListener("click", (event) => {
      const button = event.target.closest("[data-tool]");
      if (button) this.use(button.dataset.tool, button);
    });
    document.addEventListener("keydown", (event) => {
      const typing = event.target.matches("input, textarea, select");
      if (typing || !(event.ctrlKey || event.metaKey)) return;
      const key = event.key.toLowerCase();
      if (key === "z" || key === "y") {
        event.preventDefault();
        this.use(key === "y" || event.shiftKey ? "redo" : "undo");
      }
    });
  }

  use(tool, button) {
    if (tool === "undo") this.outline.undo();
    else if (tool === "redo") this.outline.redo();
    else if (tool === "snap") {
      this.snaps = !this.snaps;
      button.setAttribute("aria-pressed", String(this.snaps));
      return;
    } else if (tool === "picture") {
      const address = new URL(this.picture.src);
      address.searchParams.set("at", String(Date.now()));
      this.picture.src = address.href;
      return;
    } else {
      this.outline.remember();
      if (tool === "add") this.addCorner();
      else if (tool === "remove") this.outline.remove(this.outline.corners.length - 1);
      else {
        this.outline.corners = [];
        this.outline.open = true;
      }
    }
    this.changed();
  }

  addCorner() {
    const { outline, surface } = this;
    if (outline.corners.length < 3) {
      // The keyboard's way to begin: a triangle in the middle, to be moved from there.
      const middle = [[400, 0.6], [600, 0.6], [500, 0.4]];
      outline.corners = middle.map(([x, share]) => surface.fromView([x, share * surface.height]));
      outline.open = false;
      return;
    }
    const edge = outline.longestEdge();
    outline.insert(edge + 1, outline.middle(edge));
  }

  // Where the pointer wants corner `index` to be.
  wanted(event, index) {
    const place = viewPlace(this.svg, event);
    if (!this.snaps || event.altKey) return this.surface.fromView(place);
    const own = this.outline.corners.map((corner) => this.surface.toView(corner));
    const others = this.others.map(({ corners }) => corners.map((each) => this.surface.toView(each)));
    return this.surface.fromView(snapped(place, own, index, others, REACH_PX * this.scale()));
  }

  press(event) {
    event.preventDefault();
    const { outline } = this;
    const { corner, middle } = event.target.dataset;
    if (corner !== undefined) {
      outline.remember();
      this.held = Number(corner);
      if (outline.open && this.held === 0 && outline.corners.length >= 3) outline.open = false;
    } else if (middle !== undefined) {
      outline.remember();
      this.held = Number(middle) + 1;
      outline.insert(this.held, outline.middle(Number(middle)));
    } else if (outline.open) {
      outline.remember();
      this.held = outline.corners.length;
      outline.insert(this.held, this.surface.fromView([0, 0]));
      outline.place(this.held, this.wanted(event, this.held));
    } else {
      return;
    }
    this.svg.setPointerCapture(event.pointerId);
    this.changed(this.held);
  }

  move(event) {
    if (this.held === null || this.held === undefined) return;
    this.outline.place(this.held, this.wanted(event, this.held));
    this.changed(this.held);
  }

  key(event) {
    const { corner, middle } = event.target.dataset;
    const edge = middle ?? corner;
    const inserts = event.key === "Insert" || (middle !== undefined && [" ", "Enter"].includes(event.key));
    if (edge !== undefined && inserts) {
      event.preventDefault();
      this.outline.remember();
      this.outline.insert(Number(edge) + 1, this.outline.middle(Number(edge)));
      this.changed(Number(edge) + 1);
      return;
    }
    if (corner === undefined) return;
    const index = Number(corner);
    if (event.key in ARROWS) {
      event.preventDefault();
      if (!event.repeat) this.outline.remember();
      const [dx, dy] = ARROWS[event.key];
      this.outline.place(index, this.surface.moved(this.outline.corners[index], dx, dy, event.shiftKey));
      this.changed(index);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      this.outline.remember();
      this.outline.remove(index);
      this.changed(Math.max(0, index - 1));
    }
  }

  changed(focus) {
    this.write();
    this.draw();
    if (focus !== undefined) this.svg.querySelector(`[data-corner="${focus}"]`)?.focus();
  }

  draw() {
    const { corners, open } = this.outline;
    const shapes = [hatching(), ...(this.ground ? [this.ground] : [])];
    for (const other of this.others) shapes.push(this.drawn(other.corners, "other", "polygon"));
    if (corners.length > 0) {
      if (this.hatched) shapes.push(this.drawn(corners, "hatch", "polygon"));
      shapes.push(this.drawn(corners, "own", open ? "polyline" : "polygon"));
    }
    if (this.editable) {
      if (!open && corners.length >= 2) corners.forEach((_, index) => shapes.push(this.middle(index)));
      corners.forEach((_, index) => shapes.push(this.corner(index)));
    }
    this.svg.replaceChildren(...shapes);
    this.enable();
  }

  enable() {
    const able = { undo: this.outline.canUndo, redo: this.outline.canRedo };
    for (const [tool, can] of Object.entries(able)) {
      const button = this.tools?.querySelector(`[data-tool="${tool}"]`);
      if (button) button.setAttribute("aria-disabled", String(!can));
    }
  }

  drawn(corners, name, tag) {
    const places = corners.map((corner) => this.surface.toView(corner));
    return shape(tag, { points: points(places), class: name });
  }

  corner(index) {
    const place = this.outline.corners[index];
    const words = this.surface.shown(place).map((value) => value + this.surface.suffix).join(", ");
    const made = this.handle(place, 11, "corner", `${this.root.dataset.corner} ${index + 1}: ${words}`);
    made.dataset.corner = index;
    return made;
  }

  middle(index) {
    const name = `${this.root.dataset.middle} ${index + 1}`;
    const made = this.handle(this.outline.middle(index), 7, "middle", name);
    made.dataset.middle = index;
    return made;
  }

  // As large under a finger on a phone as under a mouse on a wide screen.
  scale() {
    return Math.max(1, viewScale(this.svg));
  }

  handle(place, radius, name, label) {
    const [cx, cy] = this.surface.toView(place);
    const r = radius * this.scale();
    return shape("circle", { cx, cy, r, class: name, tabindex: 0, role: "button", "aria-label": label });
  }
}

const root = document.querySelector("[data-editor]");
const field = document.getElementById("corners");
if (root && field) new ZoneEditor(root, field, document.querySelector("[data-editor-tools]"));
