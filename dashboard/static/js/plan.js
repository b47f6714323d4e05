// The floor plan, live. What was not confirmed for three seconds is shown as NOT MONITORED,
// and nobody is drawn where nobody knows.

import { planGround } from "./plan-ground.js";
import { MovingThings } from "./plan-things.js";
import { keepReadable, surfaceOf, WIDTH } from "./surface.js";
import { hatching, points, shape } from "./svg.js";

const STALE_AFTER_MS = 3000;
const root = document.getElementById("plan");
const floor = JSON.parse(root.dataset.floor);
const surface = surfaceOf(floor.surface);
const svg = root.querySelector("svg");
const outline = (corners) => points(corners.map((corner) => surface.toView(corner)));

// --- what stands still ----------------------------------------------------------------------

// The floor is hatched; what a camera watches is cut out of the hatching.
const cutOut = shape("g", { class: "cut-out" });
const everything = { width: WIDTH, height: surface.height };
const mask = shape("mask", { id: "unwatched" }, shape("rect", { ...everything, class: "kept" }), cutOut);
const views = new Map();
const viewLayer = shape("g", {});
for (const { id, corners } of floor.cameras) {
  const hole = shape("polygon", { points: outline(corners) });
  const edge = shape("polygon", { points: outline(corners), class: "view-edge" });
  cutOut.append(hole);
  viewLayer.append(edge);
  views.set(id, { hole, edge });
}

const zones = new Map();
const zoneLayer = shape("g", {});
for (const { id, name, corners } of floor.zones) {
  const places = corners.map((corner) => surface.toView(corner));
  const hatch = shape("polygon", { points: points(places), class: "hatch" });
  const body = shape("polygon", { points: points(places), class: "plan-zone" });
  const middle = places.reduce((sum, place) => sum + place[0], 0) / places.length;
  const top = Math.min(...places.map((place) => place[1]));
  const label = shape("text", { x: middle, y: top - 7, class: "plan-label" });
  zoneLayer.append(hatch, body, label);
  zones.set(id, { name, hatch, body, label });
}

const things = new MovingThings(surface, {
  person: root.dataset.textPerson,
  vehicle: root.dataset.textVehicle,
});
svg.replaceChildren(
  hatching(),
  shape("defs", {}, mask),
  planGround(surface, floor.surface),
  shape("rect", { ...everything, class: "hatch floor-hatch", mask: "url(#unwatched)" }),
  viewLayer,
  zoneLayer,
  things.layer,
);

keepReadable(svg);

// --- what changes ---------------------------------------------------------------------------

let heardAt = performance.now();

function say(id, words) {
  const element = document.getElementById(id);
  // Only a change is announced by screen readers.
  if (element.textContent !== words) element.textContent = words;
}

function showCamera(id, { state, text }) {
  const view = views.get(id);
  view.hole.classList.toggle("is-open", state !== "blind");
  view.edge.classList.toggle("is-blind", state === "blind");
  view.edge.classList.toggle("is-degraded", state === "degraded");
  const shown = document.querySelector(`[data-camera="${CSS.escape(id)}"] .state`);
  shown.className = `state state-${state}`;
  shown.lastChild.textContent = text;
}

function showZone(id, { state, text }) {
  const zone = zones.get(id);
  zone.hatch.classList.toggle("is-shown", state === "unwatched");
  zone.body.setAttribute("class", `plan-zone is-${state}`);
  zone.label.textContent = state === "watched" ? zone.name : `${zone.name} · ${text}`;
  const item = document.querySelector(`[data-zone="${CSS.escape(id)}"]`);
  item.dataset.state = state;
  item.querySelector('[data-part="state"]').textContent = text;
}

function show(moment) {
  heardAt = performance.now();
  root.classList.remove("is-lost");
  say("plan-sentence", moment.sentence);
  say("plan-count", moment.count);
  document.getElementById("plan-sentence").classList.toggle("is-complete", moment.complete);
  document.getElementById("plan-lost-vehicles").hidden = moment.lost.length === 0;
  say("plan-lost-vehicles", moment.lost.join(" · "));
  for (const id of views.keys()) if (moment.cameras[id]) showCamera(id, moment.cameras[id]);
  for (const id of zones.keys()) if (moment.zones[id]) showZone(id, moment.zones[id]);
  things.show(moment);
}

function lose() {
  root.classList.add("is-lost");
  say("plan-sentence", root.dataset.textLost);
  say("plan-count", "");
  document.getElementById("plan-sentence").classList.remove("is-complete");
  for (const id of views.keys()) showCamera(id, { state: "blind", text: root.dataset.textBlind });
  for (const id of zones.keys()) showZone(id, { state: "unwatched", text: root.dataset.textUnwatched });
  things.show({ people: [], seen: [], vehicles: [] });
}

let stream = null;

function listen() {
  stream = new EventSource("/plan/live");
  stream.addEventListener("message", ({ data }) => {
    const moment = JSON.parse(data);
    if (moment.revision === floor.revision) show(moment);
    else location.reload();
  });
}

// The browser gave up asking: signed out, or the server was away.
async function listenAgain() {
  const limit = AbortSignal.timeout(STALE_AFTER_MS);
  const answer = await fetch("/api/v1/live/status", { signal: limit });
  if (answer.status === 401) location.reload();
  else if (stream.readyState === EventSource.CLOSED) listen();
}

show(JSON.parse(root.dataset.moment));
listen();
setInterval(() => {
  if (performance.now() - heardAt > STALE_AFTER_MS) lose();
  if (stream.readyState === EventSource.CLOSED) listenAgain().catch(() => {});
}, 1000);
window.addEventListener("pagehide", () => stream.close());
