// The siren of one wall screen: sound and full screen while somebody is in danger. It sounds
// until somebody acknowledges or the situation is over, and stays on the screen until somebody
// acknowledges. Off until it is turned on for this screen.

const WANTED_KEY = "anjeon.siren";
const SWEEP_S = 0.8;
const LOW_HZ = 620;
const HIGH_HZ = 1150;
const PICTURE_EVERY_MS = 1000;

// Two tones that sweep into each other: our own, and unlike the floor's sirens or a telephone.
class Tone {
  #context = null;
  #sounding = null;

  get allowed() {
    return this.#context?.state === "running";
  }

  // Has to come from a click or a key; browsers allow no sound before.
  async wake() {
    this.#context ??= new AudioContext();
    if (this.#context.state === "suspended") await this.#context.resume();
  }

  start() {
    if (!this.allowed || this.#sounding) return;
    const tone = this.#context.createOscillator();
    const sweep = this.#context.createOscillator();
    const depth = this.#context.createGain();
    const volume = this.#context.createGain();
    tone.type = "square";
    tone.frequency.value = (LOW_HZ + HIGH_HZ) / 2;
    sweep.type = "triangle";
    sweep.frequency.value = 1 / SWEEP_S;
    depth.gain.value = (HIGH_HZ - LOW_HZ) / 2;
    volume.gain.value = 0.25;
    sweep.connect(depth).connect(tone.frequency);
    tone.connect(volume).connect(this.#context.destination);
    tone.start();
    sweep.start();
    this.#sounding = [tone, sweep];
  }

  stop() {
    for (const oscillator of this.#sounding ?? []) oscillator.stop();
    this.#sounding = null;
  }

  get sounding() {
    return this.#sounding !== null;
  }
}

export class WallSiren {
  #tone = new Tone();
  #alarm = null;
  #folded = "";
  #picturedAt = 0;

  constructor({ button, screen, acknowledge }) {
    this.button = button;
    this.screen = screen;
    this.acknowledge = acknowledge;
    button.addEventListener("click", () => this.#toggle());
    // Escape would close what somebody has to acknowledge.
    screen.addEventListener("cancel", (event) => event.preventDefault());
    screen.querySelector("[data-do=fold]").addEventListener("click", () => this.#fold());
    screen.querySelector("[data-do=acknowledge]")?.addEventListener("click", (event) => {
      event.target.disabled = true;
      this.acknowledge(this.#alarm.id).finally(() => {
        event.target.disabled = false;
      });
    });
    for (const touched of ["pointerdown", "keydown"]) {
      document.addEventListener(touched, () => this.#touched(), { passive: true });
    }
    this.#label();
  }

  get wanted() {
    return localStorage.getItem(WANTED_KEY) === "on";
  }

  // What the server says now: the alarm that nobody has acknowledged, or null.
  show(alarm) {
    this.#alarm = alarm;
    const ringing = this.wanted && alarm !== null;
    if (ringing && alarm.lasts) this.#tone.start();
    else this.#tone.stop();
    document.documentElement.dataset.siren = this.#tone.sounding ? "sounding" : "quiet";
    if (ringing && this.#folded !== alarm.id) this.#open(alarm);
    else if (this.screen.open) this.screen.close();
  }

  #open(alarm) {
    const part = (name) => this.screen.querySelector(`[data-part="${name}"]`);
    const { textOver, textLasts } = this.screen.dataset;
    this.screen.querySelector("#alarm-title").textContent = alarm.title;
    part("where").textContent = alarm.where;
    part("time").textContent = alarm.at_text;
    part("more").textContent = alarm.more_text;
    const lasts = alarm.lasts ? textLasts : textOver;
    if (part("lasts").textContent !== lasts) part("lasts").textContent = lasts;
    part("link").href = `/alerts/${alarm.id}`;
    part("mute").hidden = this.#tone.allowed;
    this.screen.classList.toggle("is-over", !alarm.lasts);
    this.#picture(part("picture"), alarm.camera_id);
    if (!this.screen.open) this.screen.showModal();
  }

  #picture(image, camera) {
    image.onload = () => { image.hidden = false; };
    image.onerror = () => { image.hidden = true; };
    if (!camera || performance.now() - this.#picturedAt < PICTURE_EVERY_MS) return;
    this.#picturedAt = performance.now();
    image.src = `/api/v1/live/${encodeURIComponent(camera)}/snapshot.jpg?width=960&at=${Date.now()}`;
  }

  // The cameras can be looked at; the sound goes on, and the next alarm fills the screen again.
  #fold() {
    this.#folded = this.#alarm?.id ?? "";
    this.screen.close();
  }

  async #toggle() {
    localStorage.setItem(WANTED_KEY, this.wanted ? "off" : "on");
    if (this.wanted) await this.#tone.wake();
    this.#label();
    this.show(this.#alarm);
  }

  async #touched() {
    if (!this.wanted || this.#tone.allowed) return;
    await this.#tone.wake();
    this.#label();
    this.show(this.#alarm);
  }

  #label() {
    const { on, off, click } = this.button.dataset;
    this.button.setAttribute("aria-pressed", String(this.wanted));
    const words = this.#tone.allowed ? on : click;
    this.button.querySelector("span").textContent = this.wanted ? words : off;
  }
}
