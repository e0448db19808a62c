const LENGTH = 3;

/** Three pictures in order, then in: for children who do not write yet. */
export function startPictures(): void {
  const form = document.querySelector<HTMLFormElement>("form[data-picture-sign-in]");
  if (!form) return;
  const field = form.elements.namedItem("pictures");
  const count = form.querySelector<HTMLElement>("[data-picture-count]");
  let chosen: string[] = [];
  const show = () => {
    if (count) count.textContent = "★".repeat(chosen.length) + "☆".repeat(LENGTH - chosen.length);
    if (field instanceof HTMLInputElement) field.value = chosen.join(",");
    if (chosen.length === LENGTH && form.reportValidity()) form.submit();
  };
  for (const tile of form.querySelectorAll<HTMLElement>("[data-picture]")) {
    tile.addEventListener("click", () => {
      if (chosen.length === LENGTH) chosen = [];
      chosen.push(tile.dataset["picture"] ?? "");
      show();
    });
  }
  form.addEventListener("change", show);
  form.addEventListener("reset", () => {
    chosen = [];
    show();
  });
  show();
}
