// Follows the zone on the floor that is being drawn: shows it in every calibrated camera.

const section = document.querySelector("[data-floor-views]");
const csrf = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
const WAIT_MS = 250;

let timer = null;
let newest = 0;

function cornersNow() {
  const unit = section.dataset.camera ? 0.01 : 1;
  return document
    .getElementById("corners")
    .value.split("\n")
    .map((line) => line.split(/[\s,]+/).filter(Boolean).map((part) => Number(part) * unit))
    .filter((corner) => corner.length === 2 && corner.every(Number.isFinite));
}

async function ask() {
  const corners = cornersNow();
  if (corners.length < 3) return;
  const number = ++newest;
  const answer = await fetch("/zones/views", {
    method: "POST",
    headers: { "content-type": "application/json", "x-csrf-token": csrf },
    body: JSON.stringify({ camera: section.dataset.camera, corners }),
  });
  if (answer.ok && number === newest) show(await answer.json());
}

function show({ problem, views }) {
  const said = section.querySelector("[data-views-problem]");
  said.textContent = problem;
  said.hidden = !problem;
  for (const view of section.querySelectorAll("[data-view]")) {
    const polygon = views[view.dataset.view] ?? [];
    view.querySelector("polygon").setAttribute("points", polygon.map((corner) => corner.join(",")).join(" "));
    const sees = view.querySelector("[data-sees]");
    sees.textContent = polygon.length ? sees.dataset.yes : sees.dataset.no;
  }
}

for (const picture of section.querySelectorAll("img")) {
  const missing = () => {
    picture.hidden = true;
    picture.parentElement.querySelector(".no-picture").hidden = false;
  };
  picture.addEventListener("error", missing);
  if (picture.complete && picture.naturalWidth === 0) missing();
}
document.addEventListener("outline", () => {
  clearTimeout(timer);
  timer = setTimeout(() => ask().catch(() => {}), WAIT_MS);
});
