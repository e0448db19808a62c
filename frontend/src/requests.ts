import { toast } from "./toasts";

/** Gives every htmx request its forgery token, and says so when one fails. */
export function startRequests(): void {
  document.addEventListener("htmx:configRequest", (event) => {
    const token = document.body.dataset["csrf"];
    if (token && event instanceof CustomEvent) event.detail.headers["X-CSRFToken"] = token;
  });
  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    document.addEventListener(name, () => toast(document.body.dataset["failed"] ?? ""));
  }
  document.addEventListener("submit", confirmFirst, true);
}

function confirmFirst(event: SubmitEvent): void {
  const form = event.target;
  if (!(form instanceof HTMLFormElement)) return;
  const question = event.submitter?.dataset["confirm"] ?? form.dataset["confirm"];
  if (question && !window.confirm(question)) {
    event.preventDefault();
    event.stopPropagation();
  }
}
