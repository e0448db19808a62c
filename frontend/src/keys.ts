/** `/` finds, `?` explains; both leave people who are typing alone. */
export function startKeys(): void {
  const dialog = document.querySelector<HTMLDialogElement>("[data-shortcuts]");
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.key === "/") {
      const field =
        document.querySelector<HTMLInputElement>("[data-search]") ??
        document.querySelector<HTMLInputElement>("[data-global-search]");
      if (!field) return;
      event.preventDefault();
      field.focus();
      field.select();
    } else if (event.key === "?") {
      event.preventDefault();
      if (dialog && !dialog.open) dialog.showModal();
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("[data-shortcuts-open]")) dialog?.showModal();
  });
}

export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input:not([type=checkbox]), textarea, select"));
}
