const SECONDS_SHOWN = 6;

/** A line at the foot of the page that goes by itself, unless it offers something to press. */
export function toast(words: string, action?: { label: string; run: () => void }): void {
  const place = document.querySelector("[data-toasts]");
  if (!place || !words) return;
  const line = document.createElement("div");
  line.className = "toast-line";
  line.append(Object.assign(document.createElement("span"), { textContent: words }));
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = action?.label ?? document.body.dataset["close"] ?? "×";
  button.addEventListener("click", () => {
    action?.run();
    line.remove();
  });
  line.append(button);
  place.append(line);
  window.setTimeout(() => line.remove(), SECONDS_SHOWN * 1000 * (action ? 2 : 1));
}

/** `data-copy` copies its own value; `data-toggle-password` shows what was typed. */
export function startCopy(): void {
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const copy = target?.closest<HTMLElement>("[data-copy]");
    if (copy) {
      void navigator.clipboard.writeText(copy.dataset["copy"] ?? "").then(
        () => toast(document.body.dataset["copied"] ?? ""),
        () => toast(document.body.dataset["failed"] ?? ""),
      );
    }
    const eye = target?.closest<HTMLElement>("[data-toggle-password]");
    const field = eye?.parentElement?.querySelector("input");
    if (eye && field) {
      field.type = field.type === "password" ? "text" : "password";
      eye.setAttribute("aria-pressed", String(field.type === "text"));
    }
    if (target?.closest("[data-print]")) window.print();
  });
}
