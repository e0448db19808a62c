// Keeps this form page and what it is made of, so that it opens again for the same account while the network is away.
import { accountHere, pageShelf } from "./account";

export async function keepPage(workerUrl: string): Promise<void> {
  if (!workerUrl || !accountHere() || !("serviceWorker" in navigator) || !window.isSecureContext) return;
  await navigator.serviceWorker.register(workerUrl, { scope: new URL(".", location.href).pathname });
  const shelf = await caches.open(pageShelf());
  const files = performance.getEntriesByType("resource").map((entry) => entry.name);
  const own = files.filter((name) => name.startsWith(`${location.origin}/static/`));
  const page = location.href.split("#")[0] ?? location.href;
  await Promise.allSettled([keepOwn(shelf, page), ...[...new Set(own)].map((address) => shelf.add(address))]);
}

/** The page as it is now, unless somebody else has signed in meanwhile, in another tab. */
async function keepOwn(shelf: Cache, page: string): Promise<void> {
  const response = await fetch(page);
  const text = await response.clone().text();
  if (response.ok && !response.redirected && text.includes(`data-account="${accountHere()}"`)) await shelf.put(page, response);
}
