import type { ChartData } from "./data";
import type { Look } from "./look";

const MARGIN = 24;
const TITLE_ROOM = 56;
const FORMULA_START = /^[=+\-@\t\r＝＋－＠]/;

/** The menu that hands the chart out as picture or numbers; `draw` answers the SVG now on the page. */
export function addDownloads(figure: HTMLElement, chart: ChartData, look: () => Look, draw: () => string): void {
  const tools = figure.querySelector("[data-chart-tools]");
  if (!tools || tools.childElementCount > 0) return;
  const menu = document.createElement("details");
  menu.className = "menu";
  menu.dataset["menu"] = "";
  const opener = document.createElement("summary");
  opener.className = "btn btn-quiet";
  opener.textContent = chart.words.download;
  const panel = document.createElement("div");
  panel.className = "menu-panel menu-end";
  const entries: [string, () => void][] = [
    [chart.words.png, () => void savePng(chart, framed(draw(), chart, look()))],
    [chart.words.svg, () => save(`${chart.name}.svg`, new Blob([framed(draw(), chart, look()).text], { type: "image/svg+xml" }))],
    [chart.words.csv, () => save(`${chart.name}.csv`, new Blob([csvText(chart)], { type: "text/csv;charset=utf-8" }))],
  ];
  for (const [label, run] of entries) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "menu-item";
    button.textContent = label;
    button.addEventListener("click", () => {
      run();
      menu.open = false;
    });
    panel.append(button);
  }
  menu.append(opener, panel);
  tools.append(menu);
}

interface Picture {
  text: string;
  width: number;
  height: number;
}

/** The drawing with its title above, on the page's own ground, so that it stands alone in a slide. */
function framed(drawing: string, chart: ChartData, look: Look): Picture {
  const inner = new DOMParser().parseFromString(drawing, "image/svg+xml").documentElement;
  const box = (inner.getAttribute("viewBox") ?? "").split(/[\s,]+/).map(Number);
  const innerWidth = Number.parseFloat(inner.getAttribute("width") ?? "") || (box[2] ?? 720);
  const innerHeight = Number.parseFloat(inner.getAttribute("height") ?? "") || (box[3] ?? 300);
  inner.setAttribute("x", String(MARGIN));
  inner.setAttribute("y", String(TITLE_ROOM));
  inner.setAttribute("width", String(innerWidth));
  inner.setAttribute("height", String(innerHeight));
  const width = innerWidth + 2 * MARGIN;
  const height = innerHeight + TITLE_ROOM + MARGIN;
  const outer = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  outer.setAttribute("width", String(width));
  outer.setAttribute("height", String(height));
  const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  ground.setAttribute("width", String(width));
  ground.setAttribute("height", String(height));
  ground.setAttribute("fill", look.surface);
  const title = document.createElementNS("http://www.w3.org/2000/svg", "text");
  title.setAttribute("x", String(MARGIN));
  title.setAttribute("y", "36");
  title.setAttribute("fill", look.ink);
  title.setAttribute("font-family", look.type);
  title.setAttribute("font-size", "17");
  title.setAttribute("font-weight", "600");
  title.textContent = chart.title;
  outer.append(ground, title, inner);
  return { text: new XMLSerializer().serializeToString(outer), width, height };
}

async function savePng(chart: ChartData, picture: Picture): Promise<void> {
  const address = URL.createObjectURL(new Blob([picture.text], { type: "image/svg+xml" }));
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = picture.width * 2;
  canvas.height = picture.height * 2;
  const context = canvas.getContext("2d");
  context?.scale(2, 2);
  context?.drawImage(image, 0, 0, picture.width, picture.height);
  URL.revokeObjectURL(address);
  canvas.toBlob((blob) => blob && save(`${chart.name}.png`, blob), "image/png");
}

function csvText(chart: ChartData): string {
  const header = [chart.labelTitle];
  for (const series of chart.series) {
    const name = series.name || chart.valueTitle;
    header.push(name, `${name} ${chart.intervalTitle} −`, `${name} ${chart.intervalTitle} +`);
  }
  const labels = [...new Set(chart.series.flatMap((series) => series.points.map((point) => point.label)))];
  const rows = labels.map((label) => [
    label,
    ...chart.series.flatMap((series) => {
      const point = series.points.find((entry) => entry.label === label);
      if (point?.suppressed) return ["*", "", ""];
      return [point?.value ?? "", point?.low ?? "", point?.high ?? ""];
    }),
  ]);
  return `\ufeff${[header, ...rows].map((row) => row.map(csvCell).join(",")).join("\r\n")}\r\n`;
}

function csvCell(value: string | number): string {
  if (typeof value === "number") return String(value);
  const text = FORMULA_START.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function save(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
