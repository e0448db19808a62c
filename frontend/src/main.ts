import "./styles/index.css";
import htmx from "htmx.org";
import { startFiles } from "./files";
import { startHints } from "./hints";
import { startKeys } from "./keys";
import { startLists } from "./lists";
import { startMenus } from "./menus";
import { startRequests } from "./requests";
import { startCopy, toast } from "./toasts";

htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
htmx.config.selfRequestsOnly = true;
htmx.config.historyCacheSize = 0;
htmx.config.scrollIntoViewOnBoost = false;

async function drawCharts(root: ParentNode): Promise<void> {
  const figures = root.querySelectorAll<HTMLElement>("[data-chart]");
  if (figures.length === 0) return;
  try {
    const { showCharts } = await import("./charts");
    showCharts(figures);
  } catch {
    toast(document.body.dataset["charts"] ?? "");
  }
}

startRequests();
startMenus();
startKeys();
startLists();
startFiles();
startCopy();
startHints();
void drawCharts(document);
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target instanceof Element) void drawCharts(event.target);
});
