// Several cameras' clips of one violation, played in step: one bar moves them all.

const FAR_APART_S = 0.15; // while they play: less is not worth a jump
const ALIKE_S = 0.05; // while they stand: one picture

class InStep {
  #group;
  #videos;
  #bar;
  #button;
  #slider;
  #shown;
  #zero = 0; // performance.now() at which the violation opened, while they play
  #playing = false;

  constructor(group) {
    this.#group = group;
    this.#videos = [...group.querySelectorAll("video")];
    this.#bar = group.querySelector(".in-step");
    this.#button = this.#bar.querySelector("button");
    this.#slider = this.#bar.querySelector("input");
    this.#shown = this.#bar.querySelector("output");
    const times = (name) => this.#videos.map((video) => Number(video.dataset[name]));
    this.#slider.min = Math.min(...times("begins")).toFixed(1);
    this.#slider.max = Math.max(...times("ends")).toFixed(1);
    this.#button.addEventListener("click", () => (this.#playing ? this.#pause() : this.#play()));
    this.#slider.addEventListener("input", () => {
      this.#pause();
      this.#show(Number(this.#slider.value), ALIKE_S);
    });
    for (const video of this.#videos) {
      video.controls = false;
      for (const name of ["loadedmetadata", "seeked"]) {
        video.addEventListener(name, () => {
          if (!this.#playing) this.#show(Number(this.#slider.value), ALIKE_S);
        });
      }
    }
    this.#bar.hidden = false;
    this.#slider.value = this.#slider.min;
    this.#show(Number(this.#slider.min), ALIKE_S);
  }

  #play() {
    const now = Number(this.#slider.value);
    const from = now >= Number(this.#slider.max) - 0.1 ? Number(this.#slider.min) : now;
    this.#playing = true;
    this.#button.textContent = this.#button.dataset.pause;
    this.#zero = performance.now() - from * 1000;
    this.#show(from, ALIKE_S);
    requestAnimationFrame(() => this.#tick());
  }

  #pause() {
    this.#playing = false;
    this.#button.textContent = this.#button.dataset.play;
    for (const video of this.#videos) video.pause();
  }

  #tick() {
    if (!this.#playing || !this.#group.isConnected) return;
    const at = Math.min((performance.now() - this.#zero) / 1000, Number(this.#slider.max));
    this.#slider.value = at.toFixed(1);
    this.#show(at, FAR_APART_S);
    if (at >= Number(this.#slider.max)) this.#pause();
    else requestAnimationFrame(() => this.#tick());
  }

  // Bring all to the same second; what plays by itself is only put right when it is far off.
  #show(at, tolerance) {
    this.#shown.textContent = `${at < 0 ? "−" : "+"}${Math.abs(at).toFixed(1)} s`;
    for (const video of this.#videos) {
      const begins = Number(video.dataset.begins);
      const ends = Number(video.dataset.ends);
      const wanted = Math.min(Math.max(at, begins), ends) - begins;
      const there = at >= begins - ALIKE_S && at <= ends + ALIKE_S;
      video.classList.toggle("is-out", !there);
      if (Math.abs(video.currentTime - wanted) > tolerance && !video.seeking) {
        video.currentTime = wanted;
      }
      if (this.#playing && there && video.paused) video.play().catch(() => {});
      if (!(this.#playing && there) && !video.paused) video.pause();
    }
  }
}

function arrange() {
  for (const group of document.querySelectorAll("[data-clips].is-many:not([data-in-step])")) {
    group.dataset.inStep = "";
    new InStep(group);
  }
}

document.addEventListener("htmx:afterSwap", arrange);
arrange();
