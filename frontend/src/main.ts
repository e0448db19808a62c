import "./styles/index.css";
import htmx from "htmx.org";
import { startDoor } from "./door";
import { startFiles } from "./files";
import { dropForeignPages, isWaiting } from "./forms/account";
import { startHints } from "./hints";
import { startKeys } from "./keys";
import { startLists } from "./lists";
import { startMenus } from "./menus";
import { startPasskeys } from "./passkeys";
import { startPictures } from "./pictures";
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

async function checkEvidence(): Promise<void> {
  const form = document.querySelector<HTMLFormElement>("form[data-evidence]");
  if (form) (await import("./evidence")).startEvidence(form);
}

async function keepForTools(): Promise<void> {
  const page = document.querySelector<HTMLElement>("[data-lti-storage]");
  if (page) (await import("./tools")).startTools(page);
}

async function build(): Promise<void> {
  const page = document.querySelector<HTMLElement>("[data-builder]");
  if (page) (await import("./builder/page")).startBuilder(page);
}

async function checkDraw(): Promise<void> {
  const place = document.querySelector<HTMLElement>("[data-draw]");
  if (place) (await import("./draws/page")).startDraw(place);
}

async function fillForms(): Promise<void> {
  await dropForeignPages().catch(() => undefined);
  const sheet = document.querySelector<HTMLElement>("[data-sheet]");
  if (sheet) (await import("./forms/page")).startForm(sheet);
  if (navigator.onLine && isWaiting()) await (await import("./forms/waiting")).sendWaiting();
}

startRequests();
startMenus();
startKeys();
startLists();
startFiles();
startCopy();
startHints();
startDoor();
startPasskeys();
startPictures();
void drawCharts(document);
void checkEvidence();
void keepForTools();
void fillForms();
void checkDraw();
void build();
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target instanceof Element) void drawCharts(event.target);
});
