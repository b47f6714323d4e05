// Where a corner that is dragged comes to rest: on another zone's corner or edge, or where it
// makes a right angle. All in view units, which are as long upwards as sideways.

const minus = (a, b) => [a[0] - b[0], a[1] - b[1]];
const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

// The place of the segment a-b nearest to p.
export function onSegment(p, a, b) {
  const along = minus(b, a);
  const length2 = along[0] ** 2 + along[1] ** 2;
  if (length2 === 0) return a;
  const from = minus(p, a);
  const share = Math.min(1, Math.max(0, (from[0] * along[0] + from[1] * along[1]) / length2));
  return [a[0] + share * along[0], a[1] + share * along[1]];
}

// The place nearest to p on the line through `at` that is perpendicular to `edge`.
function onPerpendicular(p, at, edge) {
  const length = Math.hypot(...edge);
  if (length === 0) return null;
  const normal = [-edge[1] / length, edge[0] / length];
  const from = minus(p, at);
  const along = from[0] * normal[0] + from[1] * normal[1];
  return [at[0] + along * normal[0], at[1] + along * normal[1]];
}

function nearest(p, places, reach) {
  const near = places.filter((place) => place && distance(p, place) <= reach);
  return near.sort((a, b) => distance(p, a) - distance(p, b))[0] ?? null;
}

function edges(outline) {
  return outline.map((corner, index) => [corner, outline[(index + 1) % outline.length]]);
}

// Right angles at the neighbours of a corner, and both at once where they meet.
function rightAngles(p, own, index) {
  if (own.length < 3) return [];
  const corner = (offset) => own[(index + offset + own.length) % own.length];
  const [before, after] = [corner(-1), corner(1)];
  const first = onPerpendicular(p, before, minus(before, corner(-2)));
  const second = onPerpendicular(p, after, minus(after, corner(2)));
  if (own.length < 4 || !first || !second) return [first, second];
  const both = onPerpendicular(first, after, minus(after, corner(2)));
  return [both && distance(first, both) < 1e-6 ? both : meeting(before, first, after, second), first, second];
}

// Where the line a-b meets the line c-d; null if they are parallel.
function meeting(a, b, c, d) {
  const [u, v] = [minus(b, a), minus(d, c)];
  const turn = u[0] * v[1] - u[1] * v[0];
  if (Math.abs(turn) < 1e-6) return null;
  const from = minus(c, a);
  const share = (from[0] * v[1] - from[1] * v[0]) / turn;
  return [a[0] + share * u[0], a[1] + share * u[1]];
}

// The place for corner `index` of `own` near p; corners win over right angles over edges.
export function snapped(p, own, index, others, reach) {
  const corners = others.flat();
  const sides = others.flatMap(edges).map(([a, b]) => onSegment(p, a, b));
  return (
    nearest(p, corners, reach) ?? nearest(p, rightAngles(p, own, index), reach) ?? nearest(p, sides, reach) ?? p
  );
}
