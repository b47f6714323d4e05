// Draws a zone's outline on a still picture: with a pointer, a finger or the keyboard.
// The text field with the corners (percent) is what is sent; the drawing edits that field.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 1000;
const STEP = 0.01;
const FINE_STEP = 0.001;

class ZoneEditor {
  constructor(root, field, tools) {
    this.root = root;
    this.field = field;
    this.svg = root.querySelector("svg");
    this.picture = root.querySelector("img");
    this.others = JSON.parse(root.dataset.others);
    this.editable = root.dataset.mayEdit === "yes";
    this.height = WIDTH * 9 / 16;
    this.corners = this.read();
    this.drawing = this.corners.length === 0;
    this.listenToPicture();
    if (this.editable) this.listen(tools);
    this.draw();
  }

  read() {
    return this.field.value
      .split("\n")
      .map((line) => line.split(/[\s,]+/).filter(Boolean).map((part) => Number(part) / 100))
      .filter((corner) => corner.length === 2 && corner.every(Number.isFinite));
  }

  write() {
    this.field.value = this.corners
      .map((corner) => corner.map((value) => (value * 100).toFixed(1)).join(", "))
      .join("\n");
  }

  listenToPicture() {
    const shown = () => {
      this.height = (WIDTH * this.picture.naturalHeight) / this.picture.naturalWidth;
      this.svg.setAttribute("viewBox", `0 0 ${WIDTH} ${this.height}`);
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

  listen(tools) {
    this.svg.addEventListener("pointerdown", (event) => this.press(event));
    this.svg.addEventListener("pointermove", (event) => this.move(event));
    this.svg.addEventListener("pointerup", () => { this.held = null; });
    this.svg.addEventListener("pointercancel", () => { this.held = null; });
    this.svg.addEventListener("keydown", (event) => this.key(event));
    this.field.addEventListener("input", () => {
      this.corners = this.read();
      this.draw();
    });
    tools.hidden = false;
    tools.addEventListener("click", (event) => {
      const tool = event.target.closest("[data-tool]")?.dataset.tool;
      if (tool) this.use(tool);
    });
  }

  use(tool) {
    if (tool === "add") this.insertLongest();
    else if (tool === "remove") this.remove(this.corners.length - 1);
    else if (tool === "redraw") {
      this.corners = [];
      this.drawing = true;
    } else if (tool === "picture") {
      const address = new URL(this.picture.src);
      address.searchParams.set("at", String(Date.now()));
      this.picture.src = address.href;
      return;
    }
    this.changed();
  }

  at(event) {
    const box = this.svg.getBoundingClientRect();
    return [
      clamp((event.clientX - box.left) / box.width),
      clamp((event.clientY - box.top) / box.height),
    ];
  }

  press(event) {
    event.preventDefault();
    const { corner, middle } = event.target.dataset;
    if (corner !== undefined) {
      this.held = Number(corner);
      if (this.drawing && this.held === 0 && this.corners.length >= 3) this.drawing = false;
    } else if (middle !== undefined) {
      this.held = Number(middle) + 1;
      this.corners.splice(this.held, 0, this.at(event));
    } else if (this.drawing) {
      this.corners.push(this.at(event));
      this.held = this.corners.length - 1;
    } else {
      return;
    }
    this.svg.setPointerCapture(event.pointerId);
    this.changed(this.held);
  }

  move(event) {
    if (this.held === null || this.held === undefined) return;
    this.corners[this.held] = this.at(event);
    this.changed(this.held);
  }

  key(event) {
    const { corner, middle } = event.target.dataset;
    if (middle !== undefined && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      this.insert(Number(middle));
      return;
    }
    if (corner === undefined) return;
    const index = Number(corner);
    const step = event.shiftKey ? FINE_STEP : STEP;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (event.key in moves) {
      event.preventDefault();
      const [dx, dy] = moves[event.key];
      const [x, y] = this.corners[index];
      this.corners[index] = [clamp(x + dx), clamp(y + dy)];
      this.changed(index);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      this.remove(index);
      this.changed(Math.max(0, index - 1));
    }
  }

  insert(before) {
    const [a, b] = [this.corners[before], this.corners[(before + 1) % this.corners.length]];
    this.corners.splice(before + 1, 0, [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]);
    this.changed(before + 1);
  }

  insertLongest() {
    if (this.corners.length < 3) {
      // The keyboard's way to begin: a triangle in the middle, to be moved from there.
      this.corners = [[0.4, 0.6], [0.6, 0.6], [0.5, 0.4]];
      this.drawing = false;
      return;
    }
    const lengths = this.corners.map((corner, index) => {
      const next = this.corners[(index + 1) % this.corners.length];
      return Math.hypot(corner[0] - next[0], corner[1] - next[1]);
    });
    this.insert(lengths.indexOf(Math.max(...lengths)));
  }

  remove(index) {
    this.corners.splice(index, 1);
    if (this.corners.length === 0) this.drawing = true;
  }

  changed(focus) {
    this.write();
    this.draw();
    if (focus !== undefined) this.svg.querySelector(`[data-corner="${focus}"]`)?.focus();
  }

  draw() {
    const shapes = this.others.map((corners) => this.outline(corners, "other"));
    if (this.corners.length > 0) {
      shapes.push(this.outline(this.corners, "own", this.drawing ? "polyline" : "polygon"));
    }
    if (this.editable) {
      if (!this.drawing && this.corners.length >= 2) {
        this.corners.forEach((_, index) => shapes.push(this.middle(index)));
      }
      this.corners.forEach((_, index) => shapes.push(this.corner(index)));
    }
    this.svg.replaceChildren(...shapes);
  }

  outline(corners, name, tag = "polygon") {
    const shape = document.createElementNS(SVG, tag);
    shape.setAttribute("points", corners.map((c) => this.place(c).join(",")).join(" "));
    shape.setAttribute("class", name);
    return shape;
  }

  corner(index) {
    const shape = this.handle(this.corners[index], 11, "corner");
    const percent = this.corners[index].map((value) => `${Math.round(value * 100)} %`).join(", ");
    shape.dataset.corner = index;
    shape.setAttribute("aria-label", `${this.root.dataset.corner} ${index + 1}: ${percent}`);
    return shape;
  }

  middle(index) {
    const [a, b] = [this.corners[index], this.corners[(index + 1) % this.corners.length]];
    const shape = this.handle([(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], 7, "middle");
    shape.dataset.middle = index;
    shape.setAttribute("aria-label", `${this.root.dataset.middle} ${index + 1}`);
    return shape;
  }

  handle(corner, radius, name) {
    const shape = document.createElementNS(SVG, "circle");
    const [x, y] = this.place(corner);
    // As large under a finger on a phone as under a mouse on a wide screen.
    const scale = WIDTH / Math.max(1, this.svg.getBoundingClientRect().width);
    shape.setAttribute("cx", x);
    shape.setAttribute("cy", y);
    shape.setAttribute("r", radius * Math.max(1, scale));
    shape.setAttribute("class", name);
    shape.setAttribute("tabindex", "0");
    shape.setAttribute("role", "button");
    return shape;
  }

  place([x, y]) {
    return [x * WIDTH, y * this.height];
  }
}

function clamp(value) {
  return Math.min(1, Math.max(0, value));
}

const root = document.querySelector("[data-editor]");
const field = document.getElementById("corners");
if (root && field) new ZoneEditor(root, field, document.querySelector("[data-editor-tools]"));
