/** A drop field: shows what was chosen, takes a dropped file, and is an ordinary file input without script. */
export function startFiles(): void {
  document.addEventListener("change", (event) => {
    if (event.target instanceof HTMLInputElement && event.target.type === "file") showChosen(event.target);
  });
  for (const drop of document.querySelectorAll<HTMLElement>("[data-drop]")) {
    drop.addEventListener("dragover", (event) => {
      event.preventDefault();
      drop.toggleAttribute("data-over", true);
    });
    drop.addEventListener("dragleave", () => drop.removeAttribute("data-over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      drop.removeAttribute("data-over");
      const field = drop.querySelector<HTMLInputElement>('input[type="file"]');
      if (!field || !event.dataTransfer?.files.length) return;
      field.files = event.dataTransfer.files;
      showChosen(field);
    });
  }
}

function showChosen(field: HTMLInputElement): void {
  const names = [...(field.files ?? [])].map((file) => `${file.name} · ${sizeText(file.size)}`);
  const words = field.closest("[data-drop]")?.querySelector("[data-drop-name]");
  if (words && names.length > 0) words.textContent = names.join(", ");
}

function sizeText(bytes: number): string {
  return bytes < 1024 * 1024 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
