// What is drawn on: a camera's picture (0-1, y down) or the floor plan (metres, y up).
// Views are 1000 units wide and as high as the picture or the plan is in proportion.

export const WIDTH = 1000;

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

class PictureSurface {
  step = 0.01;
  fine = 0.001;
  suffix = " %";

  constructor() {
    this.height = (WIDTH * 9) / 16;
  }

  toView([x, y]) {
    return [x * WIDTH, y * this.height];
  }

  fromView([x, y]) {
    return [clamp(x / WIDTH, 0, 1), clamp(y / this.height, 0, 1)];
  }

  // As people edit them: percent of width and height.
  shown(place) {
    return place.map((value) => (value * 100).toFixed(2).replace(/\.?0+$/, ""));
  }

  read(numbers) {
    return numbers.map((value) => value / 100);
  }

  moved([x, y], dx, dy, fine) {
    const step = fine ? this.fine : this.step;
    return [clamp(x + dx * step, 0, 1), clamp(y + dy * step, 0, 1)];
  }
}

class PlanSurface {
  step = 0.1;
  fine = 0.01;
  suffix = " m";

  constructor({ width_m: wide, height_m: high, origin_m: origin }) {
    this.scale = WIDTH / wide;
    this.height = high * this.scale;
    this.left = origin[0];
    this.top = origin[1] + high;
  }

  toView([x, y]) {
    return [(x - this.left) * this.scale, (this.top - y) * this.scale];
  }

  fromView([x, y]) {
    return [x / this.scale + this.left, this.top - y / this.scale];
  }

  shown(place) {
    return place.map((value) => value.toFixed(2).replace(/\.?0+$/, ""));
  }

  read(numbers) {
    return numbers;
  }

  moved([x, y], dx, dy, fine) {
    const step = fine ? this.fine : this.step;
    return [x + dx * step, y - dy * step];
  }
}

export function surfaceOf(described) {
  return described.kind === "plan" ? new PlanSurface(described) : new PictureSurface();
}

// Where an event is in the view of an SVG, whatever room is left beside the view.
export function viewPlace(svg, event) {
  const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
  return [place.x, place.y];
}

// View units in one pixel of the screen.
export function viewScale(svg) {
  return 1 / (svg.getScreenCTM()?.a || 1);
}

// Texts stay readable on every screen: styles take their size from --unit.
export function keepReadable(svg) {
  const measure = () => svg.style.setProperty("--unit", String(viewScale(svg)));
  new ResizeObserver(measure).observe(svg);
  measure();
}
