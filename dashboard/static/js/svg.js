// Making SVG elements.

const NAMESPACE = "http://www.w3.org/2000/svg";

export function shape(tag, attributes, ...children) {
  const made = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function points(corners) {
  return corners.map((corner) => corner.map((value) => value.toFixed(2)).join(",")).join(" ");
}

// Grey hatching for what is not monitored; elements of class "hatch" are filled with it.
export function hatching(id = "hatch") {
  const line = shape("path", { d: "M0 0V14", class: "hatch-line" });
  const ground = shape("rect", { width: 14, height: 14, class: "hatch-ground" });
  const pattern = shape(
    "pattern",
    { id, width: 14, height: 14, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    ground,
    line,
  );
  return shape("defs", {}, pattern);
}
