// Draws zones, people and violations over a picture. Coordinates arrive as 0-1 (zones) or
// in thousandths of the picture (people); see dashboard/overlay.py for the format.

const BONES = [
  [5, 7], [7, 9], [6, 8], [8, 10], [5, 6], [5, 11], [6, 12], [11, 12],
  [11, 13], [13, 15], [12, 14], [14, 16], [0, 5], [0, 6],
];
const SEEN = 300; // thousandths of confidence below which a joint is not drawn
const CALM = "#7fe3d4";
const DANGER = "#ff4d45";
const HALO = "rgb(8 12 16 / 75%)";
const WARN = "#ffc53d";

// Protective equipment as line drawings, and what is known of it as a second sign beside the
// colour; all on a grid of 12 x 12.
const ITEMS = {
  hardhat: "M1 9h10M2.5 9v-1.5a3.5 4.5 0 0 1 7 0V9M5 3.4V6M7 3.4V6",
  vest: "M3 1l1.2 2.2L6 4l1.8-.8L9 1l1.6 1.2V11H1.4V2.2ZM6 4v7M1.4 8h9.2",
  gloves: "M3.5 11V7L2 4.5M3.5 7V2.5M5.5 6V1.5M7.5 6V2M9.5 7V3.5M9.5 7l-1 4Z",
  boots: "M3 1v7.5L2 11h9c0-2-2-2.8-4-3V1Z",
};
const SIGNS = {
  worn: ["M2 6.5l3 3 5-7", CALM],
  missing: ["M2.5 2.5l7 7M9.5 2.5l-7 7", DANGER],
  unknown: ["M3.5 4a2.5 2.3 0 1 1 2.5 3v1M6 10v.6", WARN],
};

export class Overlay {
  #canvas;
  #context;
  #size; // () => [width, height] of the picture shown below, or null
  #zones = [];

  constructor(canvas, pictureSize) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    this.#size = pictureSize;
  }

  setZones(zones) {
    this.#zones = zones;
  }

  // frame: what was seen, or null if nothing is known about the picture shown now.
  draw(frame) {
    const place = this.#prepare();
    if (!place) return;
    const violated = new Set(frame?.z ?? []);
    const calm = this.#zones.filter((zone) => !violated.has(zone.id));
    const broken = this.#zones.filter((zone) => violated.has(zone.id));
    for (const zone of [...calm, ...broken]) this.#drawZone(zone, violated.has(zone.id), place);
    const subjects = new Set(frame?.s ?? []);
    for (const person of frame?.p ?? []) {
      this.#drawPerson(person, subjects.has(`person-${person[0]}`), place);
    }
    for (const zone of broken) this.#label(zone, place);
  }

  clear() {
    this.#context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
  }

  // Where the picture lies in the canvas ("object-fit: contain"), in device pixels.
  #prepare() {
    const canvas = this.#canvas;
    const scale = window.devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * scale);
    const height = Math.round(canvas.clientHeight * scale);
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    this.clear();
    const picture = this.#size();
    if (!picture || !width || !height) return null;
    const fit = Math.min(width / picture[0], height / picture[1]);
    const shown = [picture[0] * fit, picture[1] * fit];
    const left = (width - shown[0]) / 2;
    const top = (height - shown[1]) / 2;
    const unit = Math.max(1, Math.sqrt(shown[0] * shown[1]) / 480);
    return { unit, at: (x, y) => [left + x * shown[0], top + y * shown[1]] };
  }

  #drawZone(zone, violated, { at, unit }) {
    const corners = zone.polygon.map(([x, y]) => at(x, y));
    const path = new Path2D();
    corners.forEach(([x, y], i) => (i ? path.lineTo(x, y) : path.moveTo(x, y)));
    path.closePath();
    const context = this.#context;
    context.setLineDash([]);
    context.lineJoin = "round";
    if (zone.hatched) this.#hatch(path, corners, 9 * unit);
    if (violated) {
      context.fillStyle = "rgb(255 77 69 / 28%)";
      context.fill(path);
    }
    this.#stroke(path, HALO, violated ? 6 * unit : 4 * unit);
    if (!violated) context.setLineDash([7 * unit, 5 * unit]);
    this.#stroke(path, violated ? DANGER : "#ffffff", violated ? 3.4 * unit : 1.6 * unit);
    context.setLineDash([]);
  }

  // Grey stripes: NOT MONITORED.
  #hatch(path, corners, step) {
    const context = this.#context;
    const [xs, ys] = [0, 1].map((axis) => corners.map((corner) => corner[axis]));
    const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
    const lines = new Path2D();
    for (let x = Math.min(...xs) - (bottom - top); x < Math.max(...xs); x += step) {
      lines.moveTo(x, bottom);
      lines.lineTo(x + bottom - top, top);
    }
    context.save();
    context.clip(path);
    context.setLineDash([]);
    this.#stroke(lines, "rgb(195 201 207 / 70%)", step / 3);
    context.restore();
  }

  #label({ name: text, polygon }, { at, unit }) {
    const corners = polygon.map(([x, y]) => at(x, y));
    const context = this.#context;
    const size = 15 * unit;
    context.font = `700 ${size}px "Pretendard Variable", "Noto Sans KR", sans-serif`;
    const wide = context.measureText(text).width + size;
    const high = size * 1.6;
    const middle = corners.reduce((sum, [x]) => sum + x, 0) / corners.length;
    const below = Math.max(...corners.map(([, y]) => y)) + 5 * unit;
    const above = Math.min(...corners.map(([, y]) => y)) - high - 5 * unit;
    const x = Math.min(Math.max(middle - wide / 2, 2), this.#canvas.width - wide - 2);
    // Below, so that it hides no heads; above if there is no room.
    const y = below + high < this.#canvas.height ? below : Math.max(above, 2);
    context.fillStyle = DANGER;
    context.beginPath();
    context.roundRect(x, y, wide, high, 4 * unit);
    context.fill();
    context.fillStyle = "#1c0201";
    context.textBaseline = "middle";
    context.fillText(text, x + size / 2, y + high / 2 + unit);
  }

  #drawPerson([, box, joints, equipment], violating, { at, unit }) {
    const point = (i) => at(joints[3 * i] / 1000, joints[3 * i + 1] / 1000);
    const bones = new Path2D();
    for (const [a, b] of BONES) {
      if (joints[3 * a + 2] < SEEN || joints[3 * b + 2] < SEEN) continue;
      bones.moveTo(...point(a));
      bones.lineTo(...point(b));
    }
    this.#context.lineCap = "round";
    this.#stroke(bones, HALO, 4 * unit);
    this.#stroke(bones, violating ? DANGER : CALM, 2 * unit);
    const [left, top] = at(box[0] / 1000, box[1] / 1000);
    const [right, bottom] = at(box[2] / 1000, box[3] / 1000);
    const frame = new Path2D();
    frame.rect(left, top, right - left, bottom - top);
    if (violating) this.#stroke(frame, HALO, 5 * unit);
    this.#stroke(frame, violating ? DANGER : "rgb(127 227 212 / 55%)", (violating ? 3 : 1) * unit);
    if (equipment) this.#drawEquipment(Object.entries(equipment), left, top, unit);
  }

  // A plate above the box: each item and its sign.
  #drawEquipment(items, left, top, unit) {
    const scale = 1.1 * unit;
    const wide = (26 * items.length + 2) * scale;
    const high = 15 * scale;
    const x = Math.min(Math.max(left, 0), this.#canvas.width - wide);
    const y = Math.max(top - high - 2 * unit, 0);
    const context = this.#context;
    context.fillStyle = HALO;
    context.beginPath();
    context.roundRect(x, y, wide, high, 3 * unit);
    context.fill();
    context.lineJoin = "round";
    items.forEach(([item, state], i) => {
      const [sign, colour] = SIGNS[state];
      const place = (steps) =>
        new DOMMatrix().translate(x + (2 + 26 * i + steps) * scale, y + 1.5 * scale).scale(scale);
      for (const [drawing, steps] of [[ITEMS[item], 0], [sign, 12]]) {
        const path = new Path2D();
        path.addPath(new Path2D(drawing), place(steps));
        this.#stroke(path, colour, 1.5 * scale);
      }
    });
  }

  #stroke(path, colour, width) {
    this.#context.strokeStyle = colour;
    this.#context.lineWidth = width;
    this.#context.stroke(path);
  }
}

// The frames seen lately, to find the one that belongs to a picture by its RTP timestamp.
export class SeenFrames {
  static #KEPT = 40;
  static #NEAR = 0.35 * 90000;
  #frames = [];

  push(frame) {
    this.#frames.push({ ...frame, arrived: performance.now() });
    if (this.#frames.length > SeenFrames.#KEPT) this.#frames.shift();
  }

  forget() {
    this.#frames = [];
  }

  // The newest frame, unless it is older than a second.
  newest() {
    const last = this.#frames.at(-1);
    return last && performance.now() - last.arrived < 1000 ? last : null;
  }

  // What was seen at an RTP timestamp: between two analysed frames, people are drawn where
  // they were in between. Without a common time line, the newest frame.
  at(rtpTimestamp) {
    const last = this.#frames.at(-1);
    if (rtpTimestamp === undefined || last?.b == null || last.t === null) return this.newest();
    let before = null;
    let after = null;
    for (const frame of this.#frames) {
      if (frame.b === null || frame.t === null) continue;
      // Signed difference on the 32-bit circle.
      const away = (frame.t + frame.b - rtpTimestamp) | 0;
      if (away <= 0 && away > -SeenFrames.#NEAR && !(away < before?.away)) before = { frame, away };
      if (away > 0 && away < SeenFrames.#NEAR && !(away > after?.away)) after = { frame, away };
    }
    if (!before || !after) return (before ?? after)?.frame ?? null;
    return blend(before.frame, after.frame, -before.away / (after.away - before.away));
  }
}

// The frame at a share of the way from one to the next; who is not in both stays in place.
function blend(one, next, share) {
  const later = new Map(next.p.map((person) => [person[0], person]));
  const between = (a, b) => a.map((value, i) => value + (b[i] - value) * share);
  const p = one.p.map(([id, box, joints, ...rest]) => {
    const there = later.get(id);
    if (!there) return [id, box, joints, ...rest];
    return [id, between(box, there[1]), between(joints, there[2]), ...rest];
  });
  return { ...one, p };
}
