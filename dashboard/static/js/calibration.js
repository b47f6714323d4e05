// Floor calibration: matching points of the picture with points of the plan, with the fit shown
// at every change. The text field "pairs" is what is sent.

import { PairTable } from "./pair-table.js";
import { PairView } from "./pair-view.js";
import { planGround } from "./plan-ground.js";
import { keepReadable, surfaceOf, WIDTH } from "./surface.js";
import { hatching, points, shape } from "./svg.js";

const WAIT_MS = 150;
const csrf = document.querySelector('meta[name="csrf-token"]')?.content ?? "";

class Calibration {
  constructor(form) {
    this.form = form;
    this.field = form.querySelector("#pairs");
    this.editable = form.dataset.mayEdit === "yes";
    this.plan = JSON.parse(form.dataset.surface);
    this.surfaces = { picture: surfaceOf({ kind: "picture" }), plan: surfaceOf(this.plan) };
    this.views = { picture: this.view("picture"), plan: this.view("plan") };
    this.ground = planGround(this.surfaces.plan, this.plan);
    this.table = new PairTable(document.getElementById("pairs-table"), form.dataset, {
      typed: (index, numbers) => this.typed(index, numbers),
      chosen: (index) => this.choose(index),
      removed: (index) => this.remove(index),
    });
    this.pairs = this.read();
    this.chosen = null;
    this.report = null;
    this.newest = 0;
    this.listen();
    this.changed();
  }

  view(side) {
    const svg = this.form.querySelector(`[data-side="${side}"] svg`);
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${this.surfaces[side].height}`);
    if (side === "plan") keepReadable(svg);
    const told = {
      placed: (index, place) => this.placed(side, index, place),
      added: (place) => this.add(side, place),
      removed: (index) => this.remove(index),
      chosen: (index) => this.choose(index),
    };
    return new PairView(svg, this.surfaces[side], this.form.dataset.textPair, this.editable ? told : null);
  }

  listen() {
    const picture = this.form.querySelector("img");
    const shown = () => {
      this.surfaces.picture.height = (WIDTH * picture.naturalHeight) / picture.naturalWidth;
      this.views.picture.svg.setAttribute("viewBox", `0 0 ${WIDTH} ${this.surfaces.picture.height}`);
      this.form.elements.aspect.value = (picture.naturalWidth / picture.naturalHeight).toFixed(4);
      this.changed();
    };
    const missing = () => {
      picture.hidden = true;
      picture.parentElement.querySelector(".no-picture").hidden = false;
    };
    picture.addEventListener("load", shown);
    picture.addEventListener("error", missing);
    if (picture.complete && picture.naturalWidth > 0) shown();
    else if (picture.complete) missing();
    for (const name of ["k1", "k2", "limit_m"]) {
      this.form.elements[name].addEventListener("input", () => this.changed());
    }
    this.field.addEventListener("input", () => {
      this.pairs = this.read();
      this.changed(false);
    });
    const add = this.form.querySelector("[data-add]");
    if (!add) return;
    add.hidden = false;
    add.addEventListener("click", () => {
      this.add("picture", [0.5, 0.7]);
      document.querySelector("#pairs-table tr:last-child input").focus();
    });
  }

  read() {
    return this.field.value
      .split("\n")
      .map((line) => line.split(/[\s,]+/).filter(Boolean).map(Number))
      .filter((numbers) => numbers.length === 4 && numbers.every(Number.isFinite))
      .map(([u, v, x, y]) => ({ picture: [u / 100, v / 100], plan: [x, y] }));
  }

  get complete() {
    return this.pairs.filter(({ picture, plan }) => picture && plan);
  }

  // A click completes the pair that waits for its other half, or begins one. Only the last
  // pair can be without one, so that numbers stay what they are.
  add(side, place) {
    let index = this.pairs.findIndex(({ picture, plan }) => !picture || !plan);
    if (index < 0) index = this.pairs.push({ picture: null, plan: null }) - 1;
    this.pairs[index][side] = place;
    this.chosen = index;
    this.changed();
    return index;
  }

  placed(side, index, place) {
    this.pairs[index][side] = place;
    this.changed();
  }

  typed(index, [u, v, x, y]) {
    const pair = this.pairs[index];
    if (u !== null && v !== null) pair.picture = [u / 100, v / 100];
    pair.plan = x !== null && y !== null ? [x, y] : null;
    this.changed();
  }

  choose(index) {
    this.chosen = index;
    this.draw();
  }

  remove(index) {
    this.pairs.splice(index, 1);
    this.chosen = null;
    this.changed();
  }

  changed(write = true) {
    const texts = ({ picture, plan }) => [
      ...(picture ? this.surfaces.picture.shown(picture) : ["", ""]),
      ...(plan ? this.surfaces.plan.shown(plan) : ["", ""]),
    ];
    if (write) this.field.value = this.complete.map((pair) => texts(pair).join(", ")).join("\n");
    this.table.show(this.pairs.map(texts), this.editable);
    this.draw();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.examine().catch(() => this.unreachable()), WAIT_MS);
  }

  async examine() {
    if (this.complete.length === 0) {
      this.tell(null);
      return;
    }
    const number = ++this.newest;
    const value = (name) => Number(this.form.elements[name].value);
    const bent = value("k1") !== 0 || value("k2") !== 0;
    const body = {
      pairs: this.complete.map(({ picture, plan }) => ({ picture, plan_m: plan })),
      aspect: value("aspect"),
      lens: bent ? { k1: value("k1"), k2: value("k2") } : null,
      limit_m: value("limit_m"),
    };
    const headers = { "content-type": "application/json", "x-csrf-token": csrf };
    const answer = await fetch(this.form.dataset.examine, { method: "POST", headers, body: JSON.stringify(body) });
    if (number !== this.newest) return;
    if (answer.ok) this.tell(await answer.json());
    else this.unreachable();
  }

  unreachable() {
    this.tell(null);
    document.querySelector('#verdict [data-part="verdict"]').textContent = this.form.dataset.textOff;
  }

  tell(report) {
    this.report = report;
    const verdict = document.getElementById("verdict");
    verdict.dataset.state = report ? (report.usable ? "usable" : "refused") : "none";
    const part = (name) => verdict.querySelector(`[data-part="${name}"]`);
    const words = report ? report.verdict : this.form.dataset.textNone;
    // Only a change is announced by screen readers.
    if (part("verdict").textContent !== words) part("verdict").textContent = words;
    part("camera").textContent = report?.camera ?? "";
    part("warnings").replaceChildren(
      ...(report?.warnings ?? []).map((warning) => {
        const item = document.createElement("li");
        item.textContent = warning;
        return item;
      }),
    );
    this.table.tell(report?.pairs ?? []);
    this.draw();
  }

  draw() {
    const states = this.pairs.map((_, index) => {
      const unused = this.report?.pairs[index]?.used === false ? "is-unused" : "";
      return `${unused} ${index === this.chosen ? "is-chosen" : ""}`;
    });
    this.views.picture.draw(this.pairs.map(({ picture }) => picture), states, this.onPicture());
    this.views.plan.draw(this.pairs.map(({ plan }) => plan), states, this.onPlan());
  }

  onPicture() {
    const { picture } = this.surfaces;
    const line = (corners, name) => shape("polyline", { points: points(corners.map((c) => picture.toView(c))), class: name });
    const grid = (this.report?.grid ?? []).map((piece) => line(piece, "floor-grid"));
    const horizon = this.report?.horizon ?? [];
    return horizon.length ? [...grid, line(horizon, "horizon")] : grid;
  }

  onPlan() {
    const { plan } = this.surfaces;
    const shapes = [hatching(), this.ground];
    if (this.report?.in_view) {
      const corners = points(this.report.in_view.map((corner) => plan.toView(corner)));
      shapes.push(shape("polygon", { points: corners, class: "in-view" }));
    }
    for (const { plan_m: place, semi_axes_m: axes, angle_rad: angle } of this.report?.ellipses ?? []) {
      const [cx, cy] = plan.toView(place);
      const [rx, ry] = axes.map((axis) => axis * plan.scale);
      const turned = `rotate(${(-angle * 180) / Math.PI} ${cx} ${cy})`;
      shapes.push(shape("ellipse", { cx, cy, rx, ry, transform: turned, class: "uncertainty" }));
    }
    if (this.report?.camera_m) {
      const [cx, cy] = plan.toView(this.report.camera_m);
      shapes.push(shape("rect", { x: cx - 9, y: cy - 9, width: 18, height: 18, class: "camera-place" }));
    }
    return shapes;
  }
}

new Calibration(document.getElementById("calibration"));
