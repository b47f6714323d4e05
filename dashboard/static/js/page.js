// What every page does: the number of open alerts in the title, the sound of a new alert,
// selects that submit their form, and questions before what cannot be undone.

const SOUND_KEY = "anjeon.sound";
const HEARD_KEY = "anjeon.heard";
const plainTitle = document.title;

let audio = null;

function badge() {
  return document.getElementById("alarm");
}

function soundWanted() {
  return localStorage.getItem(SOUND_KEY) === "on";
}

// Browsers let a page sound only after somebody touched it.
function wakeAudio() {
  audio ??= new AudioContext();
  return audio.state === "suspended" ? audio.resume() : Promise.resolve();
}

function beep() {
  if (audio === null || audio.state !== "running") return;
  [0, 0.28, 0.56].forEach((delay, index) => {
    const start = audio.currentTime + delay;
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.type = "square";
    tone.frequency.value = index % 2 === 0 ? 880 : 660;
    volume.gain.setValueAtTime(0.18, start);
    volume.gain.exponentialRampToValueAtTime(0.001, start + 0.24);
    tone.connect(volume).connect(audio.destination);
    tone.start(start);
    tone.stop(start + 0.25);
  });
}

function showSoundButton() {
  const button = document.getElementById("sound");
  if (!button) return;
  const sounding = soundWanted() && audio?.state === "running";
  button.setAttribute("aria-pressed", String(sounding));
  const { soundOn, soundOff } = document.body.dataset;
  button.querySelector("[data-label]").textContent = sounding ? soundOn : soundOff;
}

async function toggleSound() {
  const sounding = soundWanted() && audio?.state === "running";
  localStorage.setItem(SOUND_KEY, sounding ? "off" : "on");
  if (!sounding) {
    await wakeAudio();
    beep();
  }
  showSoundButton();
}

function lookAtAlarm() {
  const found = badge();
  if (!found) return;
  const open = Number(found.dataset.open);
  document.title = open > 0 ? `(${open}) ${plainTitle}` : plainTitle;
  const newest = found.dataset.newest;
  if (newest && newest !== sessionStorage.getItem(HEARD_KEY)) {
    // The page that was just opened shows what there is; only what comes later sounds.
    if (sessionStorage.getItem(HEARD_KEY) !== null && soundWanted()) beep();
  }
  sessionStorage.setItem(HEARD_KEY, newest);
}

document.addEventListener("click", (event) => {
  if (event.target.closest("#sound")) {
    toggleSound();
  } else if (soundWanted() && audio === null) {
    wakeAudio().then(showSoundButton);
  }
});

document.addEventListener("change", (event) => {
  if (event.target.matches("select[data-submit]")) event.target.form.requestSubmit();
});

document.addEventListener("submit", (event) => {
  const question = event.target.dataset?.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

document.addEventListener("htmx:afterSwap", lookAtAlarm);

// The alert moved on meanwhile, or this page is of an older session: show what is now.
document.addEventListener("htmx:responseError", (event) => {
  const { xhr, requestConfig } = event.detail;
  if ([403, 409, 412].includes(xhr.status) && requestConfig.verb !== "get") window.location.reload();
});

// A clip that this browser has no decoder for (H.265, mostly). Errors of media do not bubble.
document.addEventListener(
  "error",
  ({ target }) => {
    if (!target.matches?.(".evidence video")) return;
    target.hidden = true;
    target.parentElement.querySelector("[data-unplayable]").hidden = false;
  },
  true,
);

// A page that can no longer be brought up to date must not look as if it were.
function showOffline(offline) {
  document.getElementById("offline").hidden = !offline;
}

document.addEventListener("htmx:sendError", () => showOffline(true));
document.addEventListener("htmx:timeout", () => showOffline(true));
document.addEventListener("htmx:afterRequest", (event) => {
  const status = event.detail.xhr.status;
  if (status > 0) showOffline(status >= 500);
});

lookAtAlarm();
showSoundButton();
