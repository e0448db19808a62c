// Whom a form names: suggestions while typing, taken by mouse or by keys.
import { said, type Settings } from "./settings";

interface Party {
  id: string;
  name: string;
  note: string;
}

const PATIENCE = 200;

export function startParties(page: HTMLElement, settings: Settings, changed: () => void): void {
  let waiting = 0;
  page.addEventListener("input", (event) => {
    const box = boxOf(event.target);
    if (!box) return;
    box.dataset["partyId"] = "";
    window.clearTimeout(waiting);
    waiting = window.setTimeout(() => void suggest(box, settings), PATIENCE);
  });
  page.addEventListener("keydown", (event) => {
    const box = boxOf(event.target);
    const list = box?.parentElement?.querySelector<HTMLElement>("[role=listbox]");
    if (!box || !list) return;
    const options = [...list.querySelectorAll<HTMLElement>("[role=option]")];
    const place = options.findIndex((one) => one.ariaSelected === "true");
    if (event.key === "Escape") close(box);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      mark(box, options, (place + (event.key === "ArrowDown" ? 1 : options.length - 1)) % Math.max(1, options.length));
    }
    if (event.key === "Enter" && options[place]) {
      event.preventDefault();
      choose(box, options[place], changed);
    }
  });
  page.addEventListener("mousedown", (event) => {
    const option = event.target instanceof Element ? event.target.closest<HTMLElement>(".sheet-party [role=option]") : null;
    const box = boxOf(option?.closest(".sheet-party")?.querySelector("input") ?? null);
    if (!option || !box) return;
    event.preventDefault();
    choose(box, option, changed);
  });
  page.addEventListener("focusout", (event) => {
    const box = boxOf(event.target);
    if (box) close(box);
  });
  // The server is told the id with the name, so that two of one name are told apart.
  page.closest("form")?.addEventListener("formdata", (event) => {
    page.querySelectorAll<HTMLInputElement>("[data-party-id]").forEach((box) => {
      if (box.dataset["partyId"]) event.formData.set(box.name, `${box.dataset["partyId"]}|${box.value}`);
    });
  });
}

function boxOf(target: EventTarget | null): HTMLInputElement | null {
  return target instanceof HTMLInputElement && "partyId" in target.dataset ? target : null;
}

async function suggest(box: HTMLInputElement, settings: Settings): Promise<void> {
  const place = box.closest<HTMLElement>(".sheet-party");
  const words = box.value.trim();
  if (!place || !words) return close(box);
  const asked = new URLSearchParams({ kind: place.dataset["party"] ?? "", register: place.dataset["register"] ?? "", q: words });
  const response = await fetch(`${settings.partiesUrl}?${asked}`, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!response?.ok || box.value.trim() !== words || document.activeElement !== box) return;
  const { rows } = (await response.json()) as { rows: Party[] };
  close(box);
  const list = document.createElement("ul");
  list.setAttribute("role", "listbox");
  list.id = `${box.id}-list`;
  list.className = "sheet-suggestions";
  for (const [number, party] of rows.entries()) {
    const option = document.createElement("li");
    option.setAttribute("role", "option");
    option.id = `${list.id}-${number}`;
    Object.assign(option.dataset, { id: party.id, name: party.name });
    option.append(Object.assign(document.createElement("span"), { textContent: party.name }));
    option.append(Object.assign(document.createElement("span"), { textContent: party.note, className: "muted" }));
    list.append(option);
  }
  if (!rows.length) list.append(Object.assign(document.createElement("li"), { textContent: said(settings.words, "noParty"), className: "muted" }));
  place.append(list);
  box.setAttribute("role", "combobox");
  box.setAttribute("aria-expanded", "true");
  box.setAttribute("aria-controls", list.id);
}

function mark(box: HTMLInputElement, options: HTMLElement[], place: number): void {
  options.forEach((one, number) => (one.ariaSelected = String(number === place)));
  if (options[place]) box.setAttribute("aria-activedescendant", options[place].id);
}

function choose(box: HTMLInputElement, option: HTMLElement, changed: () => void): void {
  box.value = option.dataset["name"] ?? "";
  box.dataset["partyId"] = option.dataset["id"] ?? "";
  close(box);
  changed();
}

function close(box: HTMLInputElement): void {
  box.parentElement?.querySelector("[role=listbox]")?.remove();
  box.removeAttribute("aria-activedescendant");
  box.setAttribute("aria-expanded", "false");
}
