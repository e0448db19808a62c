import { BarChart, CustomChart, LineChart, MapChart, ScatterChart } from "echarts/charts";
import { GridComponent, LegendComponent, MarkLineComponent, TooltipComponent, VisualMapPiecewiseComponent } from "echarts/components";
import { init, registerMap, use, type EChartsType } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { pointText, type ChartData, type Point, type Series } from "./charts/data";
import { addDownloads } from "./charts/downloads";
import { currentLook } from "./charts/look";
import { mapOption } from "./charts/map";
import { DRAWS } from "./charts/options";
import type { Datum } from "./charts/parts";
import { scaleKey, showTiles } from "./charts/tiles";

use([
  BarChart,
  CustomChart,
  LineChart,
  MapChart,
  ScatterChart,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TooltipComponent,
  VisualMapPiecewiseComponent,
  SVGRenderer,
]);

const SMALLEST = 240;

interface Target {
  seriesIndex: number;
  dataIndex: number;
  point: Point;
  series: Series;
}

/** Replaces the plain pictures by live ones as they come into view. */
export function showCharts(figures: Iterable<HTMLElement>): void {
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting || !(entry.target instanceof HTMLElement)) continue;
        watcher.unobserve(entry.target);
        showChart(entry.target);
      }
    },
    { rootMargin: "400px 0px" },
  );
  for (const figure of figures) {
    if (figure.dataset["drawn"] !== undefined) continue;
    figure.dataset["drawn"] = "";
    watcher.observe(figure);
  }
}

function showChart(figure: HTMLElement): void {
  const source = figure.querySelector('script[type="application/json"]')?.textContent;
  const picture = figure.querySelector<HTMLElement>("[data-chart-picture]");
  if (!source || !picture) return;
  const chart = JSON.parse(source) as ChartData;
  const plain = picture.querySelector("svg")?.outerHTML ?? "";
  const points = chart.series[0]?.points ?? [];
  if (points.length === 0) return;
  const hasMap = chart.kind === "tiles" && points.every((point) => point.geometry);
  keepForPaper(picture);
  if (chart.kind === "tiles" && !hasMap) {
    showTiles(picture, chart);
    addDownloads(figure, chart, currentLook, () => plain);
    return;
  }
  const place = document.createElement("div");
  if (hasMap) picture.replaceChildren(scaleKey(chart), place);
  else picture.replaceChildren(place);
  const live = init(place, null, { renderer: "svg", height: 300 });
  const draw = () => {
    const look = currentLook();
    const width = Math.max(SMALLEST, picture.clientWidth);
    if (chart.kind === "tiles") {
      live.resize({ width, height: Math.min(480, Math.max(280, width * 0.66)) });
      live.setOption(mapOption(chart, look, registeredMap(chart)), true);
      return;
    }
    const drawn = DRAWS[chart.kind](chart, look, width);
    live.resize({ width, height: drawn.height });
    live.setOption(drawn.option, true);
  };
  draw();
  new ResizeObserver(() => {
    if (Math.abs(live.getWidth() - picture.clientWidth) > 1) draw();
  }).observe(picture);
  document.addEventListener("shuren:theme", draw);
  openOnClick(live);
  walkByKeys(figure, picture, chart, live);
  addDownloads(figure, chart, currentLook, () => (hasMap ? plain : live.renderToSVGString()));
}

/** Paper gets the plain drawing, which needs neither the window's width nor its light. */
function keepForPaper(picture: HTMLElement): void {
  const drawing = picture.querySelector("svg");
  if (!drawing) return;
  const paper = document.createElement("div");
  paper.className = "chart-paper";
  paper.append(drawing.cloneNode(true));
  picture.after(paper);
}

function registeredMap(chart: ChartData): string {
  const name = `units-${chart.name}`;
  const features = (chart.series[0]?.points ?? []).map((point) => ({
    type: "Feature" as const,
    properties: { name: point.label },
    geometry: point.geometry,
  }));
  registerMap(name, { type: "FeatureCollection", features } as unknown as Parameters<typeof registerMap>[1]);
  return name;
}

function openOnClick(live: EChartsType): void {
  live.on("click", (event) => {
    const data = event.data as Datum | undefined;
    if (data?.point?.url) window.location.assign(data.point.url);
  });
}

/** One stop for the tab key; arrows then go from point to point, spoken and shown, Enter opens. */
function walkByKeys(figure: HTMLElement, picture: HTMLElement, chart: ChartData, live: EChartsType): void {
  const voice = figure.querySelector("[data-chart-live]");
  let at = -1;
  picture.tabIndex = 0;
  picture.setAttribute("role", "application");
  picture.setAttribute("aria-label", `${chart.title} ${chart.words.keys}`);
  picture.addEventListener("keydown", (event) => {
    const targets = targetsOf(live);
    const last = targets.length - 1;
    const moves: Record<string, number> = {
      ArrowRight: at + 1,
      ArrowDown: at + 1,
      ArrowLeft: at - 1,
      ArrowUp: at - 1,
      Home: 0,
      End: last,
    };
    const here = targets[at];
    if (event.key === "Enter" && here?.point.url) window.location.assign(here.point.url);
    const next = moves[event.key];
    if (next === undefined || last < 0) return;
    event.preventDefault();
    if (here) live.dispatchAction({ type: "downplay", seriesIndex: here.seriesIndex, dataIndex: here.dataIndex });
    at = Math.min(last, Math.max(0, next));
    const target = targets[at];
    if (!target) return;
    live.dispatchAction({ type: "highlight", seriesIndex: target.seriesIndex, dataIndex: target.dataIndex });
    live.dispatchAction({ type: "showTip", seriesIndex: target.seriesIndex, dataIndex: target.dataIndex });
    if (voice) voice.textContent = pointText(chart, target.series, target.point).replaceAll("\n", ", ");
  });
  picture.addEventListener("blur", () => {
    live.dispatchAction({ type: "hideTip" });
    live.dispatchAction({ type: "downplay" });
    at = -1;
  });
}

function targetsOf(live: EChartsType): Target[] {
  const series = (live.getOption() as { series?: { data?: unknown[] }[] }).series ?? [];
  return series.flatMap((group, seriesIndex) =>
    (group.data ?? []).flatMap((entry, dataIndex) => {
      const data = entry as Partial<Datum> | null;
      return data?.point && data.series ? [{ seriesIndex, dataIndex, point: data.point, series: data.series }] : [];
    }),
  );
}
