/** Whose turn it is; `again` says after how many seconds to ask once more. */
type Turn = { seconds: number; place: number; ticket: string; again: number };

/** Before name and password are sent, ask whose turn it is; whoever must wait sees place and time and is sent in then. */
export function startDoor(): void {
  const form = document.querySelector<HTMLFormElement>("form[data-queue]");
  if (!form) return;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void comeIn(form);
  });
}

async function comeIn(form: HTMLFormElement): Promise<void> {
  const button = form.querySelector<HTMLButtonElement>("button[type=submit]");
  const ticket = form.elements.namedItem("ticket");
  if (button) button.disabled = true;
  try {
    for (;;) {
      const turn = await ask(form, ticket);
      if (ticket instanceof HTMLInputElement) ticket.value = turn.ticket;
      if (turn.seconds <= 0) break;
      show(form, turn);
      await new Promise((wake) => setTimeout(wake, turn.again * 1000));
    }
  } catch {
    // Without an answer the form itself asks, and its page says what is wrong.
  }
  if (button) button.disabled = false;
  form.submit();
}

async function ask(form: HTMLFormElement, ticket: Element | RadioNodeList | null): Promise<Turn> {
  const held = ticket instanceof HTMLInputElement ? ticket.value : "";
  const answer = await fetch(`${form.dataset["queue"] ?? ""}?ticket=${encodeURIComponent(held)}`);
  return (await answer.json()) as Turn;
}

function show(form: HTMLFormElement, turn: Turn): void {
  const line = form.querySelector<HTMLElement>("[data-queue-place]");
  if (!line) return;
  const text = form.dataset["queueText"] ?? "";
  line.textContent = text.replace("{place}", String(turn.place)).replace("{seconds}", String(Math.max(1, Math.round(turn.seconds))));
  line.hidden = false;
}
