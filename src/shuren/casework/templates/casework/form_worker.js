// Opens a form that was open before while the network is away; everything else goes to the network as ever.
// Pages lie on a shelf of their account, which `frontend/src/forms/account.ts` throws away as soon as another is here.
const SHELVES = "shuren-form-pages.";
// No longer than whoever opened it would have stayed signed in.
const LONGEST = {{ seconds }} * 1000;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

async function shelves() {
  return (await caches.keys()).filter((name) => name.startsWith(SHELVES));
}

async function onShelf(address) {
  for (const name of await shelves()) {
    const kept = await caches.match(address, { cacheName: name });
    if (kept) return kept;
  }
  return undefined;
}

async function pageFirstFromNetwork(request) {
  try {
    const response = await fetch(request);
    if (response.redirected || !response.ok) {
      // Handed in, not one's own any more, or signed out: the page that was kept is of no use.
      for (const name of await shelves()) await (await caches.open(name)).delete(request.url);
    }
    return response;
  } catch (error) {
    const kept = await onShelf(request.url);
    if (kept && Date.now() - Date.parse(kept.headers.get("date")) < LONGEST) return kept;
    throw error;
  }
}

async function fileFirstFromShelf(request) {
  return (await onShelf(request)) ?? fetch(request);
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(pageFirstFromNetwork(request));
  else if (new URL(request.url).pathname.startsWith("/static/")) event.respondWith(fileFirstFromShelf(request));
});
