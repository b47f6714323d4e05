// The account page: whether this browser is notified, and a button to change that.

const WORKER = "/static/js/push-worker.js";

const card = document.getElementById("push");
const button = card.querySelector("button");
const state = card.querySelector("[data-part=state]");
const csrf = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
const text = (name) => card.dataset[`text${name}`];

const fromBase64url = (words) =>
  Uint8Array.from(atob(words.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));

async function post(path, fields) {
  const body = new URLSearchParams({ ...fields, csrf_token: csrf });
  const response = await fetch(path, { method: "POST", headers: { "x-csrf-token": csrf }, body });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
}

async function subscribed() {
  const worker = await navigator.serviceWorker.getRegistration(WORKER);
  return (await worker?.pushManager.getSubscription()) ?? null;
}

async function subscribe() {
  if ((await Notification.requestPermission()) !== "granted") throw new Error("refused");
  const worker = await navigator.serviceWorker.register(WORKER);
  const subscription = await worker.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: fromBase64url(card.dataset.key),
  });
  const { endpoint, keys } = subscription.toJSON();
  await post("/account/push", { endpoint, p256dh: keys.p256dh, auth: keys.auth });
}

async function unsubscribe(subscription) {
  await post("/account/push/remove", { endpoint: subscription.endpoint });
  await subscription.unsubscribe();
}

async function show() {
  const now = await subscribed();
  state.textContent = now ? text("On") : text("Off");
  button.textContent = now ? text("Stop") : text("Start");
}

button.addEventListener("click", async () => {
  button.disabled = true;
  try {
    const now = await subscribed();
    await (now ? unsubscribe(now) : subscribe());
    await show();
  } catch {
    state.textContent = text("Refused");
  }
  button.disabled = false;
});

if (window.isSecureContext && "PushManager" in window) {
  show().then(() => { button.hidden = false; });
} else {
  state.textContent = text("Insecure");
}
