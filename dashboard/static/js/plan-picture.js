// Sends a picture of the floor plan: made small enough here, looked at and encoded anew there.

const LONGEST_PX = 2400;
const MOST_BYTES = 950_000;
const field = document.getElementById("plan-file");
const problem = document.getElementById("plan-file-problem");
const csrf = document.querySelector('meta[name="csrf-token"]')?.content ?? "";

async function smallEnough(file) {
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, LONGEST_PX / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const context = canvas.getContext("2d");
  // What is see-through would become black.
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  for (const quality of [0.9, 0.75, 0.5]) {
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
    if (blob && blob.size <= MOST_BYTES) return blob;
  }
  throw new Error("too large");
}

function say(words) {
  problem.textContent = words;
  problem.hidden = false;
}

async function send(file) {
  problem.hidden = true;
  const body = await smallEnough(file);
  const headers = { "content-type": "image/jpeg", "x-csrf-token": csrf };
  const answer = await fetch("/plan/picture", { method: "PUT", headers, body });
  if (answer.ok) location.reload();
  else say(field.dataset.failed);
}

field?.addEventListener("change", () => {
  if (field.files.length) send(field.files[0]).catch(() => say(field.dataset.failed));
});
