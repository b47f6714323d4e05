// Shows alerts as notifications, also while no page is open; a click opens the alert.

self.addEventListener("push", (event) => {
  const { title, body, path, tag, severity } = event.data.json();
  event.waitUntil(
    self.registration.showNotification(title, {
      body,
      tag,
      renotify: true,
      requireInteraction: severity === "danger",
      data: { path },
      icon: "/static/icon.svg",
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const path = String(event.notification.data.path);
  // Only ever a page of ours, whatever a message says.
  const address = new URL(path, self.location.origin);
  if (address.origin === self.location.origin) event.waitUntil(self.clients.openWindow(address));
});
