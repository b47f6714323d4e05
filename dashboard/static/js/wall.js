// The live wall: keeps every tile true. What was not confirmed for three seconds is shown
// as NOT MONITORED, whatever it was before.

import { Player } from "./player.js";
import { WallSiren } from "./siren.js";

const ASK_EVERY_MS = 1000;
const STALE_AFTER_MS = 3000;
const VIOLATION_HELD_MS = 1500;

const wall = document.getElementById("wall");
const csrf = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
const text = (name) => wall.dataset[`text${name}`];

class Tile {
  constructor(element) {
    this.element = element;
    this.id = element.dataset.camera;
    this.state = element.classList.contains("is-blind") ? "blind" : "live";
    this.forwarded = element.dataset.forwarded === "yes";
    this.danger = element.classList.contains("is-alarming");
    this.violatedAt = -Infinity;
    this.inSight = true;
    this.player = new Player({
      camera: this.id,
      video: element.querySelector("video"),
      still: element.querySelector(".still"),
      canvas: element.querySelector("canvas"),
      csrf,
      onViolation: (zones) => {
        if (zones.length) this.violatedAt = performance.now();
        this.frame();
      },
    });
    this.setAspect(Number(element.dataset.aspect));
    this.player.setZones(JSON.parse(element.dataset.zones));
    this.part("open").addEventListener("click", (event) => {
      event.preventDefault();
      showOne(this.id);
    });
    element.querySelector(".screen").addEventListener("click", () => showOne(this.id));
  }

  part(name) {
    return this.element.querySelector(`[data-part="${name}"]`);
  }

  setAspect(aspect) {
    this.element.style.setProperty("--aspect", String(aspect));
  }

  // What the server says now.
  take(camera) {
    if (camera.forwarded !== this.forwarded) this.player.stop();
    this.forwarded = camera.forwarded;
    this.danger = camera.danger;
    this.state = camera.state;
    this.setAspect(camera.aspect);
    this.player.setZones(camera.zones);
    this.part("open").textContent = camera.name;
    this.part("open-alerts").textContent = camera.open_text;
    this.say(camera.state, camera.state_text, camera.reason_text, camera.since_text);
  }

  // Nobody says anything: nothing is known.
  lose() {
    this.state = "blind";
    this.danger = false;
    this.say("blind", text("Blind"), text("Lost"), "");
  }

  say(state, words, reason, since) {
    for (const known of ["live", "degraded", "blind"]) {
      this.element.classList.toggle(`is-${known}`, known === state);
      this.part("state").classList.toggle(`state-${known}`, known === state);
    }
    this.part("state-text").textContent = words;
    this.part("plate").hidden = state !== "blind";
    this.part("reason").textContent = reason;
    this.part("since").textContent = since;
    this.part("degraded").hidden = state !== "degraded";
    this.part("degraded").textContent = reason;
    this.frame();
    this.play();
  }

  frame() {
    const violated = performance.now() - this.violatedAt < VIOLATION_HELD_MS;
    const alarming = this.state !== "blind" && (this.danger || violated);
    this.element.classList.toggle("is-alarming", alarming);
  }

  play() {
    const wanted = this.state !== "blind" && this.inSight && !document.hidden;
    if (wanted) this.player.start(this.forwarded);
    else this.player.stop();
    this.remark(wanted);
  }

  // Says it in words where the picture is not live video.
  remark(wanted) {
    const { mode, moving } = this.player;
    let words = "";
    if (!wanted || mode === "connecting") words = text("Connecting");
    else if (!moving) words = text("Stalled");
    else if (mode === "still") words = this.forwarded ? text("Still") : text("Codec");
    this.part("remark").textContent = words;
    this.part("remark").hidden = !words;
    this.element.classList.toggle("is-stalled", wanted && !moving);
  }
}

const tiles = new Map(
  [...document.querySelectorAll(".tile")].map((element) => [element.dataset.camera, new Tile(element)]),
);

// Hidden tiles are never in sight.
const sight = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      const tile = tiles.get(target.dataset.camera);
      tile.inSight = isIntersecting;
      tile.play();
    }
  },
  { rootMargin: "100px" },
);
for (const { element } of tiles.values()) sight.observe(element);

// --- asking the server ------------------------------------------------------------------

let heardAt = performance.now();

async function ask() {
  const limit = AbortSignal.timeout(STALE_AFTER_MS);
  const response = await fetch("/api/v1/live/status", { signal: limit });
  if (response.status === 401) location.reload();
  if (!response.ok) return;
  const status = await response.json();
  heardAt = performance.now();
  if (status.cameras.length !== tiles.size || status.cameras.some(({ id }) => !tiles.has(id))) {
    location.reload();
    return;
  }
  say(status.sentence, status.complete);
  for (const camera of status.cameras) tiles.get(camera.id).take(camera);
  showAlert(status.alert);
  siren.show(status.alarm);
}

function say(sentence, complete) {
  const watching = document.getElementById("watching");
  // Only a change is announced by screen readers.
  if (tiles.size && watching.textContent !== sentence) watching.textContent = sentence;
  watching.classList.toggle("is-complete", complete);
}

function checkStale() {
  if (performance.now() - heardAt <= STALE_AFTER_MS) return;
  say(text("Lost"), false);
  // What nobody confirms any more must not sound for ever.
  siren.show(null);
  for (const tile of tiles.values()) tile.lose();
}

async function keepAsking() {
  for (;;) {
    await ask().catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
}

// --- the newest alert ---------------------------------------------------------------------

const banner = document.getElementById("banner");
const acknowledge = document.getElementById("banner-acknowledge");

function showAlert(alert) {
  banner.hidden = !alert;
  const shown = alert && [alert.id, alert.lasts, alert.more_text].join();
  if (!alert || banner.dataset.shown === shown) return;
  banner.dataset.shown = shown;
  banner.classList.toggle("is-danger", alert.lasts && alert.severity === "danger");
  const link = document.getElementById("banner-link");
  link.textContent = alert.title;
  link.href = `/alerts/${alert.id}`;
  document.getElementById("banner-where").textContent = alert.where;
  document.getElementById("banner-time").textContent = alert.at_text;
  document.getElementById("banner-more").textContent = alert.more_text;
  if (acknowledge) {
    acknowledge.dataset.alert = alert.id;
    acknowledge.disabled = false;
  }
}

async function acknowledgeAlert(id) {
  const body = new URLSearchParams({ csrf_token: csrf });
  const headers = { "x-csrf-token": csrf };
  await fetch(`/alerts/${id}/acknowledge`, { method: "POST", headers, body }).catch(() => {});
  await ask().catch(() => {});
}

acknowledge?.addEventListener("click", async () => {
  acknowledge.disabled = true;
  await acknowledgeAlert(acknowledge.dataset.alert);
  acknowledge.disabled = false;
});

const siren = new WallSiren({
  button: document.getElementById("wall-siren"),
  screen: document.getElementById("alarm-screen"),
  acknowledge: acknowledgeAlert,
});

// --- one camera, or all -------------------------------------------------------------------

const showAll = document.getElementById("show-all");

function arrange() {
  const wanted = new URLSearchParams(location.search).get("camera");
  const one = tiles.has(wanted);
  wall.classList.toggle("is-single", one);
  showAll.hidden = !one;
  for (const [id, tile] of tiles) {
    tile.element.hidden = one && id !== wanted;
    tile.play();
  }
}

function showOne(id) {
  const now = new URLSearchParams(location.search).get("camera");
  if (now === id) return;
  history.pushState(null, "", `?camera=${encodeURIComponent(id)}`);
  arrange();
  showAll.focus();
}

function showEvery() {
  const before = new URLSearchParams(location.search).get("camera");
  history.pushState(null, "", location.pathname);
  arrange();
  tiles.get(before)?.part("open").focus();
}

showAll.addEventListener("click", (event) => {
  event.preventDefault();
  showEvery();
});
window.addEventListener("popstate", arrange);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !showAll.hidden && !document.fullscreenElement) showEvery();
});

// --- the wall screen, read from far away --------------------------------------------------

const mode = document.getElementById("wall-mode");

async function setWallMode(on) {
  document.body.classList.toggle("wall-mode", on);
  mode.setAttribute("aria-pressed", String(on));
  const label = mode.querySelector("span");
  label.textContent = on ? label.dataset.on : label.dataset.off;
  if (on && !document.fullscreenElement) await document.documentElement.requestFullscreen?.();
  if (!on && document.fullscreenElement) await document.exitFullscreen();
}

mode.addEventListener("click", () => {
  setWallMode(!document.body.classList.contains("wall-mode")).catch(() => {});
});
document.addEventListener("fullscreenchange", () => {
  if (!document.fullscreenElement) setWallMode(false).catch(() => {});
});
if (location.hash === "#wall") document.body.classList.add("wall-mode");

// --- beginning ----------------------------------------------------------------------------

document.addEventListener("visibilitychange", arrange);
window.addEventListener("pagehide", () => tiles.forEach((tile) => tile.player.stop()));
setInterval(() => {
  checkStale();
  for (const tile of tiles.values()) {
    tile.frame();
    tile.play();
  }
}, 500);
arrange();
keepAsking();
