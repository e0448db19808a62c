import type { EChartsCoreOption } from "echarts/core";
import { numberText, pointText, valueText, type ChartData, type Point, type Reference, type Series } from "./data";
import { colorOf, type Look } from "./look";

export type Option = EChartsCoreOption;

export interface Drawn {
  option: Option;
  height: number;
}

/** A datum as ECharts keeps it, with the point it stands for. */
export interface Datum {
  value: (number | string | null)[] | number | null;
  point: Point;
  series: Series;
}

export const NARROW = 560;
export const AXIS_HEIGHT = 34;
const LABEL_SIZE = 13;

export function frame(chart: ChartData, look: Look): Option {
  return {
    animation: !look.isStill,
    animationDuration: 300,
    textStyle: { fontFamily: look.type, fontSize: LABEL_SIZE, color: look.ink },
    tooltip: {
      trigger: "item",
      renderMode: "richText",
      confine: true,
      backgroundColor: look.ink,
      borderWidth: 0,
      padding: [8, 12],
      textStyle: { color: look.surface, fontSize: 13, lineHeight: 20, fontFamily: look.type },
      formatter: (item: { data?: Datum }) => (item.data?.point ? pointText(chart, item.data.series, item.data.point) : ""),
    },
    aria: { enabled: false },
  };
}

export function valueAxis(chart: ChartData, look: Look, fromZero: boolean): Option {
  return {
    type: "value",
    scale: !fromZero,
    ...(chart.minimum !== null ? { min: chart.minimum } : {}),
    ...(chart.maximum !== null ? { max: chart.maximum } : {}),
    splitNumber: 4,
    axisLabel: { color: look.muted, fontSize: 12, formatter: (value: number) => value.toLocaleString("en-US"), hideOverlap: true },
    splitLine: { lineStyle: { color: look.rule } },
    axisLine: { show: false },
    axisTick: { show: false },
  };
}

/** Range that shows every value and interval, for axes that need not start at zero. */
export function valueRange(chart: ChartData, parts: number): { min?: number; max?: number; interval?: number } {
  const seen = chart.series.flatMap((series) => series.points.flatMap((point) => [point.value, point.low, point.high]));
  const all = [...seen, ...chart.references.map((reference) => reference.value)];
  const numbers = all.filter((value): value is number => typeof value === "number");
  if (numbers.length === 0) return {};
  const low = Math.min(...numbers);
  const high = Math.max(...numbers);
  const step = niceStep((high - low || 1) / parts);
  return {
    min: chart.minimum ?? Math.floor(low / step) * step,
    max: chart.maximum ?? Math.ceil(high / step) * step,
    interval: step,
  };
}

function niceStep(raw: number): number {
  const power = 10 ** Math.floor(Math.log10(raw));
  return power * ([1, 2, 2.5, 5, 10].find((unit) => power * unit >= raw * 0.999) ?? 10);
}

/** Rows of units, domains or items, first on top, names left. */
export function rowAxis(points: Point[], look: Look, width: number, overflow: "break" | "truncate" = "break"): Option {
  const room = width < NARROW ? 104 : 200;
  return {
    type: "category",
    inverse: true,
    data: points.map((point) =>
      point.focus ? { value: point.label, textStyle: { fontWeight: 700 } } : { value: point.label },
    ),
    axisLabel: { color: look.ink, fontSize: LABEL_SIZE, width: room, overflow, lineHeight: 16, interval: 0, margin: 12 },
    axisLine: { show: false },
    axisTick: { show: false },
  };
}

/** The values themselves, written at the right end of their rows. */
export function figureAxis(chart: ChartData, points: Point[], look: Look): Option {
  return {
    type: "category",
    inverse: true,
    position: "right",
    data: points.map((point) => valueText(chart, point)),
    axisLabel: { color: look.ink, fontSize: LABEL_SIZE, interval: 0, margin: 12 },
    axisLine: { show: false },
    axisTick: { show: false },
  };
}

export function legendOf(chart: ChartData, look: Look, subject = colorOf(look, 0)): Option | undefined {
  if (chart.series.length < 2) return undefined;
  return {
    top: 0,
    left: 0,
    itemWidth: 12,
    itemHeight: 12,
    itemGap: 18,
    textStyle: { color: look.muted, fontSize: 12 },
    inactiveColor: look.rule,
    data: chart.series.map((series, index) => ({ name: series.name, itemStyle: { color: index === 0 ? subject : colorOf(look, index) } })),
  };
}

/** Lines across the chart, upright or level, with their names beside them. */
export function referenceLines(chart: ChartData, look: Look, axis: "xAxis" | "yAxis", isInverse = false): Option {
  const sorted = [...chart.references].sort((a, b) => a.value - b.value);
  return {
    silent: true,
    symbol: "none",
    animation: false,
    lineStyle: { color: look.muted, type: [4, 3], width: 1.5 },
    data: sorted.map((reference: Reference, index) => ({
      [axis]: reference.value,
      label: {
        show: true,
        position: axis === "yAxis" ? "insideEndTop" : isInverse ? "start" : "end",
        distance: axis === "xAxis" ? 4 + (sorted.length > 2 ? 16 * (index % 2) : 0) : 4,
        color: look.muted,
        fontSize: 12,
        formatter: `${reference.label} ${numberText(reference.value, chart.decimals)}`,
      },
    })),
  };
}

export function referenceRoom(chart: ChartData): number {
  if (chart.references.length === 0) return 8;
  return chart.references.length > 2 ? 40 : 24;
}
