import { isTyping } from "./keys";

/** Rows walked by arrow keys, ticks with their bar, filters that act at once. */
export function startLists(): void {
  document.addEventListener("keydown", walkRows);
  document.addEventListener("change", (event) => {
    if (!(event.target instanceof HTMLElement)) return;
    if (event.target.matches("[data-submit]")) (event.target as HTMLSelectElement).form?.requestSubmit();
    if (event.target.matches("[data-tick-all]")) tickAll(event.target as HTMLInputElement);
    if (event.target.matches("[data-tick], [data-tick-all]")) showTicked(event.target);
  });
}

function walkRows(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (event.target instanceof Element && event.target.closest("[data-chart-picture], dialog, [data-menu]")) return;
  const rows = [...document.querySelectorAll<HTMLElement>("[data-rows] [data-row]")];
  if (rows.length === 0) return;
  const at = rows.findIndex((row) => row.hasAttribute("data-current"));
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + (event.key === "ArrowDown" ? 1 : -1)))];
    if (!next) return;
    event.preventDefault();
    rows[at]?.removeAttribute("data-current");
    next.setAttribute("data-current", "");
    next.scrollIntoView({ block: "nearest" });
    next.querySelector<HTMLElement>("[data-open]")?.focus({ preventScroll: true });
  } else if (event.key === "x" && at >= 0) {
    rows[at]?.querySelector<HTMLInputElement>("[data-tick]")?.click();
  } else if (event.key === "Enter" && at >= 0 && !(event.target instanceof HTMLAnchorElement)) {
    rows[at]?.querySelector<HTMLElement>("[data-open]")?.click();
  }
}

function tickAll(box: HTMLInputElement): void {
  for (const tick of box.closest("[data-list]")?.querySelectorAll<HTMLInputElement>("[data-tick]") ?? []) {
    tick.checked = box.checked;
  }
}

function showTicked(from: HTMLElement): void {
  const list = from.closest("[data-list]");
  const ticks = [...(list?.querySelectorAll<HTMLInputElement>("[data-tick]") ?? [])];
  const count = ticks.filter((tick) => tick.checked).length;
  const all = list?.querySelector<HTMLInputElement>("[data-tick-all]");
  if (all) {
    all.checked = count > 0 && count === ticks.length;
    all.indeterminate = count > 0 && count < ticks.length;
  }
  list?.querySelector("[data-bulk-bar]")?.toggleAttribute("data-open", count > 0);
  const words = list?.querySelector("[data-bulk-count]");
  if (words) words.textContent = String(count);
}
