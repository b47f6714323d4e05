// The ground of a floor plan: the uploaded picture, if there is one, and a grid of metres.

import { WIDTH } from "./surface.js";
import { points, shape } from "./svg.js";

const STEPS_M = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
const MOST_LINES = 12;

export function planGround(surface, plan) {
  const parts = [];
  if (plan.image) {
    const place = { href: plan.image, width: WIDTH, height: surface.height };
    parts.push(shape("image", { ...place, preserveAspectRatio: "none", class: "plan-picture" }));
  }
  const longest = Math.max(plan.width_m, plan.height_m);
  const step = STEPS_M.find((each) => longest / each <= MOST_LINES) ?? longest;
  const [left, bottom] = plan.origin_m;
  for (let x = Math.ceil(left / step) * step; x <= left + plan.width_m; x += step) {
    const [at] = surface.toView([x, 0]);
    parts.push(shape("path", { d: `M${at} 0V${surface.height}`, class: "grid" }));
    parts.push(label(at + 4, surface.height - 5, x));
  }
  for (let y = Math.ceil(bottom / step) * step; y <= bottom + plan.height_m; y += step) {
    const [, at] = surface.toView([0, y]);
    parts.push(shape("path", { d: `M0 ${at}H${WIDTH}`, class: "grid" }));
    if (y !== bottom) parts.push(label(4, at - 4, y));
  }
  for (const corners of plan.views ?? []) {
    const places = corners.map((corner) => surface.toView(corner));
    parts.push(shape("polygon", { points: points(places), class: "in-view" }));
  }
  return shape("g", { class: "ground", "aria-hidden": "true" }, ...parts);
}

function label(x, y, metres) {
  return shape("text", { x, y, class: "grid-label" }, `${Number(metres.toFixed(2))} m`);
}
