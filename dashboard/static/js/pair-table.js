// The table of pairs: places as numbers to type, and how well every pair fits.

export class PairTable {
  constructor(table, texts, told) {
    this.table = table;
    this.body = table.querySelector("tbody");
    this.texts = texts;
    this.told = told;
    this.body.addEventListener("input", (event) => {
      const row = event.target.closest("tr");
      if (row) told.typed(row.sectionRowIndex, this.numbers(row));
    });
    this.body.addEventListener("focusin", (event) => {
      const row = event.target.closest("tr");
      if (row) told.chosen(row.sectionRowIndex);
    });
    this.body.addEventListener("click", (event) => {
      if (event.target.closest("button")) told.removed(event.target.closest("tr").sectionRowIndex);
    });
  }

  numbers(row) {
    return [...row.querySelectorAll("input")].map(({ value }) => (value === "" ? null : Number(value)));
  }

  // values: for every pair the four texts of its places.
  show(values, editable) {
    while (this.body.rows.length > values.length) this.body.deleteRow(-1);
    while (this.body.rows.length < values.length) this.body.append(this.row(this.body.rows.length, editable));
    values.forEach((texts, index) => {
      this.body.rows[index].querySelectorAll("input").forEach((input, column) => {
        if (input !== document.activeElement) input.value = texts[column];
      });
    });
    this.table.hidden = values.length === 0;
  }

  row(index, editable) {
    const row = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = String(index + 1);
    row.append(head);
    for (const names of [["u", "v"], ["x", "y"]]) {
      const cell = document.createElement("td");
      for (const name of names) cell.append(this.input(name, index, editable));
      row.append(cell);
    }
    const residual = document.createElement("td");
    residual.dataset.residual = "";
    const last = document.createElement("td");
    if (editable) {
      const remove = document.createElement("button");
      remove.type = "button";
      remove.textContent = this.texts.textRemove;
      remove.setAttribute("aria-label", `${this.texts.textRemove} ${index + 1}`);
      last.append(remove);
    }
    row.append(residual, last);
    return row;
  }

  input(name, index, editable) {
    const input = document.createElement("input");
    input.type = "number";
    input.step = "any";
    input.readOnly = !editable;
    input.dataset.value = name;
    input.setAttribute("aria-label", `${this.texts[`text${name.toUpperCase()}`]} ${index + 1}`);
    return input;
  }

  // fits: the server's word on every complete pair.
  tell(fits) {
    [...this.body.rows].forEach((row, index) => {
      const fit = fits[index];
      const off = fit?.residual_m === null ? "∞" : `${fit?.residual_m?.toFixed(2)} m`;
      const complete = this.numbers(row).every((number) => number !== null);
      const none = complete ? "–" : this.texts.textWaiting;
      const words = fit ? (fit.used ? off : `${off} · ${this.texts.textUnused}`) : none;
      row.querySelector("[data-residual]").textContent = words;
      row.classList.toggle("is-unused", fit?.used === false);
    });
  }
}
