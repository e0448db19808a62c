// Files go up as soon as they are chosen, and stand in the list at once.
import type { FileValue } from "./collect";
import { said, type Settings } from "./settings";

const STEP = 1024;

export function listFiles(page: HTMLElement, settings: Settings, name: string, files: FileValue[]): void {
  const list = page.querySelector<HTMLElement>(`[data-files="${name}"]`);
  if (!list) return;
  list.replaceChildren(...files.map((file) => line(settings, name, file)));
}

function line(settings: Settings, name: string, file: FileValue): HTMLElement {
  const item = document.createElement("li");
  Object.assign(item.dataset, { file: file.id, size: String(file.size), sha256: file.sha256 });
  const hidden = Object.assign(document.createElement("input"), { type: "hidden", name, value: file.id });
  const link = Object.assign(document.createElement("a"), { textContent: file.name, target: "_blank" });
  link.href = settings.filesUrl.replace("0".repeat(13), file.id);
  const size = Object.assign(document.createElement("span"), { className: "muted", textContent: sizeOf(file.size) });
  const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-quiet" });
  button.dataset["removeFile"] = "";
  button.textContent = said(settings.words, "remove");
  button.setAttribute("aria-label", `${said(settings.words, "remove")} ${file.name}`);
  item.append(hidden, link, size, button);
  return item;
}

function sizeOf(bytes: number): string {
  if (bytes < STEP * STEP) return `${Math.max(1, Math.round(bytes / STEP))} KB`;
  return `${(bytes / STEP / STEP).toFixed(1)} MB`;
}

export function startUploads(page: HTMLElement, settings: Settings, changed: () => void): void {
  page.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-files] button") : null;
    if (!button) return;
    event.preventDefault();
    button.closest("[data-file]")?.remove();
    changed();
  });
  if (!settings.uploadUrl) return;
  const take = (box: EventTarget | null): void => {
    if (!(box instanceof HTMLInputElement) || box.type !== "file" || !box.files?.length) return;
    const chosen = [...box.files];
    box.value = "";
    void (async () => {
      for (const file of chosen) await send(page, settings, box, file);
      changed();
    })();
  };
  page.addEventListener("change", (event) => take(event.target));
  // Somebody may have chosen before this was read.
  page.querySelectorAll("input[type=file]").forEach(take);
}

async function send(page: HTMLElement, settings: Settings, box: HTMLInputElement, file: File): Promise<void> {
  const status = progress(box, said(settings.words, "uploading", { name: file.name }));
  const body = new FormData();
  body.set("path", box.name);
  body.set("file", file);
  try {
    const headers = { "X-CSRFToken": document.body.dataset["csrf"] ?? "", Accept: "application/json" };
    const response = await fetch(settings.uploadUrl, { method: "POST", headers, body, redirect: "manual" });
    const told = (await response.json().catch(() => ({}))) as Partial<FileValue> & { error?: { message?: string; remedy?: string } };
    if (!response.ok || !told.id) {
      const reason = told.error ? `${told.error.message ?? ""}${told.error.remedy ?? ""}` : said(settings.words, "later");
      status.textContent = said(settings.words, "uploadFailed", { name: file.name, reason });
      status.className = "errors";
      return;
    }
    status.remove();
    page.querySelector(`[data-files="${box.name}"]`)?.append(line(settings, box.name, told as FileValue));
  } catch {
    status.textContent = said(settings.words, "offlineUpload");
    status.className = "errors";
  }
}

function progress(box: HTMLInputElement, words: string): HTMLElement {
  box.parentElement?.querySelector("[data-upload]")?.remove();
  const line = Object.assign(document.createElement("p"), { className: "help", textContent: words });
  line.setAttribute("role", "status");
  line.dataset["upload"] = "";
  box.before(line);
  return line;
}
