// How many characters may still be written, told where it gets close.
import { said } from "./settings";

const CLOSE = 0.8;

export function startCounts(page: HTMLElement, words: { [name: string]: string }): void {
  const count = (box: HTMLInputElement | HTMLTextAreaElement): void => {
    const longest = Number(box.dataset["longest"]);
    const line = page.querySelector<HTMLElement>(`[data-count-for="${box.id}"]`);
    if (!longest || !line) return;
    const left = longest - [...box.value.trim()].length;
    line.textContent = left > longest * (1 - CLOSE) ? "" : said(words, left < 0 ? "over" : "left", { count: String(Math.abs(left)) });
    line.classList.toggle("is-over", left < 0);
  };
  const all = (): void => page.querySelectorAll<HTMLTextAreaElement>("[data-longest]").forEach(count);
  page.addEventListener("input", (event) => {
    if (event.target instanceof HTMLTextAreaElement || event.target instanceof HTMLInputElement) count(event.target);
  });
  page.addEventListener("sheet:filled", all);
  all();
}
