// Whose browser this is now. What forms leave behind belongs to an account; the server names it and lends the key to it.

/** Opaque mark of the account that is signed in; empty where nobody is. */
export function accountHere(): string {
  return document.body.dataset["account"] ?? "";
}

export function pageShelf(): string {
  return `${SHELVES}${accountHere()}`;
}

const SHELVES = "shuren-form-pages.";

/** Pages that were kept for somebody else go at once, all of them where nobody is signed in. */
export async function dropForeignPages(): Promise<void> {
  if (!("caches" in window)) return;
  const names = await caches.keys();
  const foreign = names.filter((name) => name.startsWith("shuren-form-pages") && (!accountHere() || name !== pageShelf()));
  await Promise.all(foreign.map((name) => caches.delete(name)));
}

/** Other pages look only at the flag before they load what sends. */
export function isWaiting(): boolean {
  try {
    return accountHere() !== "" && localStorage.getItem(flagName()) !== null;
  } catch {
    return false;
  }
}

export function flag(isSet: boolean): void {
  try {
    if (isSet) localStorage.setItem(flagName(), "1");
    else localStorage.removeItem(flagName());
  } catch {
    // Without storage nothing waits beyond this page.
  }
}

function flagName(): string {
  return `shuren-forms-waiting.${accountHere()}`;
}
