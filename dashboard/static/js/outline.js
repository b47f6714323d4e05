// The corners of an outline, with every step that can be taken back.

const LONGEST = 200;

export class Outline {
  #past = [];
  #future = [];

  constructor(corners) {
    this.corners = corners;
    // While it is drawn it is open; a closed one has at least three corners.
    this.open = corners.length === 0;
  }

  // Call before a change; everything until the next call is one step.
  remember() {
    this.#past.push(this.#state());
    if (this.#past.length > LONGEST) this.#past.shift();
    this.#future = [];
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  undo() {
    this.#swap(this.#past, this.#future);
  }

  redo() {
    this.#swap(this.#future, this.#past);
  }

  place(index, corner) {
    this.corners[index] = corner;
  }

  insert(index, corner) {
    this.corners.splice(index, 0, corner);
  }

  remove(index) {
    this.corners.splice(index, 1);
    if (this.corners.length === 0) this.open = true;
  }

  middle(index) {
    const [a, b] = [this.corners[index], this.corners[(index + 1) % this.corners.length]];
    return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  }

  longestEdge() {
    const lengths = this.corners.map((corner, index) => {
      const next = this.corners[(index + 1) % this.corners.length];
      return Math.hypot(corner[0] - next[0], corner[1] - next[1]);
    });
    return lengths.indexOf(Math.max(...lengths));
  }

  #swap(from, to) {
    if (from.length === 0) return;
    to.push(this.#state());
    const state = from.pop();
    this.corners = state.corners;
    this.open = state.open;
  }

  #state() {
    return { corners: this.corners.map((corner) => [...corner]), open: this.open };
  }
}
