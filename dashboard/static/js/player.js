// One camera's picture: video over WebRTC, still pictures where that does not work.
// A picture that does not move on is never passed off as live.

import { Overlay, SeenFrames } from "./overlay.js";

const VIDEO_WITHIN_MS = 4000;
const STALLED_AFTER_MS = 3000;
const STILL_EVERY_MS = 500;
const TRY_VIDEO_AGAIN_MS = 30000;
const JITTER_BUFFER_MS = 250; // time for the boxes of a picture to arrive before it is shown

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Player {
  mode = "off"; // "off", "connecting", "video", "still"
  #camera;
  #video;
  #still;
  #overlay;
  #seen = new SeenFrames();
  #csrf;
  #onViolation;
  #running = null; // AbortController of the present run
  #lastPicture = 0;

  constructor({ camera, video, still, canvas, csrf, onViolation }) {
    this.#camera = camera;
    this.#video = video;
    this.#still = still;
    this.#csrf = csrf;
    this.#onViolation = onViolation;
    this.#overlay = new Overlay(canvas, () => this.#pictureSize());
  }

  setZones(zones) {
    this.#overlay.setZones(zones);
  }

  // Whether pictures keep coming.
  get moving() {
    return performance.now() - this.#lastPicture < STALLED_AFTER_MS;
  }

  // forwarded: whether the camera's codec can be sent as video at all.
  start(forwarded) {
    if (this.#running) return;
    this.#running = new AbortController();
    this.#run(forwarded, this.#running.signal);
  }

  stop() {
    this.#running?.abort();
    this.#running = null;
    this.#video.srcObject = null;
    this.#overlay.clear();
    this.#seen.forget();
    this.mode = "off";
  }

  async #run(forwarded, signal) {
    let wait = 300;
    while (!signal.aborted) {
      const began = performance.now();
      if (forwarded && "RTCPeerConnection" in window) {
        await this.#watchVideo(signal).catch(() => {});
        if (signal.aborted) return;
        if (this.mode === "video") {
          // It worked and broke off: the same again, soon.
          this.mode = "connecting";
          wait = performance.now() - began > 10000 ? 300 : Math.min(wait * 2, 5000);
          await pause(wait);
          continue;
        }
      }
      await this.#watchStills(signal, forwarded ? TRY_VIDEO_AGAIN_MS : Infinity);
    }
  }

  // Resolves or throws when there is no video (any more); mode tells whether there was.
  // A run that was stopped may still be here when the next one has begun: it touches only
  // its own connection.
  async #watchVideo(signal) {
    if (this.mode !== "still") this.mode = "connecting";
    const connection = new RTCPeerConnection({ iceServers: [] });
    const over = new AbortController();
    const end = () => {
      over.abort();
      connection.close();
    };
    signal.addEventListener("abort", end, { signal: over.signal });
    connection.addEventListener("connectionstatechange", () => {
      if (["failed", "closed", "disconnected"].includes(connection.connectionState)) over.abort();
    });
    const { receiver } = connection.addTransceiver("video", { direction: "recvonly" });
    if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = JITTER_BUFFER_MS;
    const channel = connection.createDataChannel("metadata", { ordered: false, maxRetransmits: 0 });
    channel.addEventListener("message", ({ data }) => this.#takeFrame(JSON.parse(data)));
    this.#video.srcObject = new MediaStream([receiver.track]);
    // Not by the attribute: browsers stop such videos where they are scrolled out of sight.
    this.#video.play().catch(() => {});
    try {
      await this.#negotiate(connection, over.signal);
      this.#followVideo(over.signal);
      await this.#firstPicture(over.signal);
      while (this.mode === "video" && !over.signal.aborted && this.moving) await pause(250);
    } finally {
      end();
    }
  }

  async #negotiate(connection, signal) {
    await connection.setLocalDescription();
    await gathered(connection);
    const response = await fetch(`/api/v1/live/${this.#camera}/offer`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-csrf-token": this.#csrf },
      body: JSON.stringify({ type: "offer", sdp: connection.localDescription.sdp }),
      signal,
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.code);
    await connection.setRemoteDescription(answer);
  }

  async #firstPicture(signal) {
    const began = performance.now();
    while (this.mode !== "video" && !signal.aborted) {
      if (performance.now() - began > VIDEO_WITHIN_MS) return;
      await pause(50);
    }
  }

  // Draws the boxes that belong to every picture the browser shows.
  #followVideo(signal) {
    const video = this.#video;
    const shown = (rtpTimestamp) => {
      this.#lastPicture = performance.now();
      if (this.mode !== "video") this.#show("video");
      this.#overlay.draw(this.#seen.at(rtpTimestamp));
    };
    if ("requestVideoFrameCallback" in video) {
      const next = (_, { rtpTimestamp }) => {
        if (signal.aborted) return;
        shown(rtpTimestamp);
        video.requestVideoFrameCallback(next);
      };
      video.requestVideoFrameCallback(next);
    } else {
      video.addEventListener("timeupdate", () => shown(undefined), { signal });
    }
  }

  // Ends early if there are no pictures at all: then video was not what failed.
  async #watchStills(signal, forMs) {
    const began = performance.now();
    const goesOn = () => {
      const since = performance.now() - began;
      return since < (this.moving ? forMs : STALLED_AFTER_MS);
    };
    if (!this.#still.hasAttribute("src")) this.mode = "connecting";
    while (!signal.aborted && goesOn()) {
      await this.#nextStill(signal).catch(() => {});
      await pause(document.hidden ? 4 * STILL_EVERY_MS : STILL_EVERY_MS);
    }
  }

  async #nextStill(signal) {
    const width = Math.min(1280, Math.ceil((this.#still.parentElement.clientWidth || 640) / 160) * 160);
    const response = await fetch(`/api/v1/live/${this.#camera}/snapshot.jpg?width=${width}`, { signal });
    if (!response.ok) return;
    const picture = URL.createObjectURL(await response.blob());
    const before = this.#still.src;
    this.#still.src = picture;
    await this.#still.decode();
    if (before) URL.revokeObjectURL(before);
    if (signal.aborted) return;
    this.#lastPicture = performance.now();
    this.#show("still");
    const seen = response.headers.get("x-anjeon-overlay");
    const frame = seen ? JSON.parse(seen) : null;
    if (frame) this.#onViolation(frame.z);
    this.#overlay.draw(frame);
  }

  #takeFrame(frame) {
    this.#seen.push(frame);
    this.#onViolation(frame.z);
  }

  #show(mode) {
    this.mode = mode;
    this.#video.hidden = mode !== "video";
    this.#still.hidden = mode !== "still";
  }

  #pictureSize() {
    const size =
      this.mode === "still"
        ? [this.#still.naturalWidth, this.#still.naturalHeight]
        : [this.#video.videoWidth, this.#video.videoHeight];
    return size[0] && size[1] ? size : null;
  }
}

// All candidates are sent with the offer; hosts only, so this takes milliseconds.
function gathered(connection) {
  if (connection.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((resolve) => {
    setTimeout(resolve, 1000);
    connection.addEventListener("icegatheringstatechange", () => {
      if (connection.iceGatheringState === "complete") resolve();
    });
  });
}
