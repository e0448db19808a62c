import htmx from "htmx.org";

const NOTHING_LEFT = "nothing-left";

/** Asks once per tab and kind of page what a first visit should know; the server remembers what was put away. */
export function startHints(): void {
  if (document.querySelector(".sign-in")) forget();
  for (const place of document.querySelectorAll<HTMLElement>("[data-hints]")) {
    const address = place.dataset["hints"] ?? "";
    if (recall(address) === NOTHING_LEFT) continue;
    place.addEventListener("htmx:afterRequest", () => {
      if (place.childElementCount === 0) remember(address);
    });
    void htmx.ajax("get", address, { source: place, target: place, swap: "innerHTML" });
  }
}

/** A browser that keeps nothing asks again on every page. */
function recall(key: string): string | null {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
}

function remember(key: string): void {
  try {
    sessionStorage.setItem(key, NOTHING_LEFT);
  } catch {
    return;
  }
}

/** Somebody else may sign in next. */
function forget(): void {
  try {
    sessionStorage.clear();
  } catch {
    return;
  }
}
