import { verify, type Bundle, type Step } from "./protocol";

/** The button that runs a published draw again in the reader's browser. */
export function startDraw(place: HTMLElement): void {
  const button = place.querySelector<HTMLButtonElement>("[data-draw-check]");
  const verdict = place.querySelector<HTMLElement>("[data-draw-verdict]");
  if (!button || !verdict) return;
  button.addEventListener("click", () => {
    button.disabled = true;
    void check(place, verdict).finally(() => {
      button.disabled = false;
    });
  });
}

async function check(place: HTMLElement, verdict: HTMLElement): Promise<void> {
  let steps: Step[];
  try {
    const answer = await fetch(place.dataset["draw"] ?? "", { credentials: "omit" });
    if (!answer.ok) throw new Error(String(answer.status));
    steps = await verify((await answer.json()) as Bundle);
  } catch {
    verdict.replaceChildren(notice(place.dataset["broken"] ?? "", "error"));
    return;
  }
  const words = JSON.parse(document.getElementById("draw-steps")?.textContent ?? "{}") as Record<string, string>;
  const isGood = steps.every((step) => step.isGood !== false);
  const list = document.createElement("ol");
  list.className = "draw-steps";
  for (const step of steps) {
    const item = document.createElement("li");
    const mark = step.isGood === undefined ? "open" : step.isGood ? "good" : "bad";
    item.dataset["step"] = step.name;
    item.dataset["verdict"] = mark;
    const sign = { good: "✓", bad: "✗", open: "–" }[mark];
    item.textContent = `${sign} ${words[step.name] ?? step.name}`;
    if (mark !== "good") item.append(` (${place.dataset[mark] ?? ""})`);
    list.append(item);
  }
  const head = notice(place.dataset[isGood ? "good" : "bad"] ?? "", isGood ? "success" : "error");
  head.dataset["outcome"] = isGood ? "valid" : "invalid";
  verdict.replaceChildren(head, list);
}

function notice(words: string, tone: string): HTMLElement {
  const box = document.createElement("div");
  box.className = `notice notice-${tone}`;
  const said = document.createElement("p");
  said.textContent = words;
  box.append(said);
  return box;
}
