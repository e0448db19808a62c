/** Menus that close when left, the navigation drawer, the light switch. */
export function startMenus(): void {
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    closeMenus(target?.closest("[data-menu]") ?? null);
    if (target?.closest("[data-theme-switch]")) switchTheme();
    const toggle = target?.closest("[data-nav-toggle]");
    if (toggle) setDrawer(!document.querySelector("[data-nav]")?.hasAttribute("data-open"));
    else if (!target?.closest("[data-nav]")) setDrawer(false);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector<HTMLDetailsElement>("[data-menu][open]");
    open?.querySelector("summary")?.focus();
    closeMenus(null);
    setDrawer(false);
  });
  document.addEventListener("focusin", (event) => {
    if (event.target instanceof Element) closeMenus(event.target.closest("[data-menu]"));
  });
}

function closeMenus(except: Element | null): void {
  for (const menu of document.querySelectorAll<HTMLDetailsElement>("[data-menu][open]")) {
    if (menu !== except) menu.open = false;
  }
}

function setDrawer(isOpen: boolean): void {
  document.querySelector("[data-nav]")?.toggleAttribute("data-open", isOpen);
  document.querySelector("[data-nav-toggle]")?.setAttribute("aria-expanded", String(isOpen));
}

function switchTheme(): void {
  const root = document.documentElement;
  const next = root.dataset["bsTheme"] === "dark" ? "light" : "dark";
  root.dataset["bsTheme"] = next;
  try {
    localStorage.setItem("shuren-theme", next);
  } catch {
    return;
  } finally {
    document.dispatchEvent(new CustomEvent("shuren:theme"));
  }
}
