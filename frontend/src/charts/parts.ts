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

export function shown(point: Point | undefined): number | null {
  return !point || point.suppressed ? null : point.value;
}

export function datum(series: Series, point: Point, value: Datum["value"]): Datum {
  return { value, point, series };
}

export const NARROW = 560;
export const AXIS_HEIGHT = 34;
const LABEL_SIZE = 13;
const LINE_HEIGHT = 16;

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

export function valueAxis(look: Look): Option {
  return {
    type: "value",
    axisLabel: { color: look.muted, fontSize: 12, formatter: tickText, hideOverlap: true },
    splitLine: { lineStyle: { color: look.rule } },
    axisLine: { show: false },
    axisTick: { show: false },
  };
}

function tickText(value: number): string {
  return numberText(value, Number.isInteger(value) ? 0 : 1);
}

export interface Range {
  min: number;
  max: number;
  interval: number;
}

/** Round marks that hold every value, interval and reference, and the chart's own minimum and maximum. */
export function valueRange(chart: ChartData, parts: number, fromZero = false): Range {
  const seen = chart.series.flatMap((series) => series.points.flatMap((point) => [point.value, point.low, point.high]));
  const lines = chart.kind === "histogram" ? [] : chart.references.flatMap((line) => [line.value, line.low, line.high]);
  const numbers = [...seen, ...lines, chart.minimum, chart.maximum].filter((value) => typeof value === "number");
  if (fromZero || numbers.length === 0) numbers.push(0);
  return niceRange(Math.min(...numbers), Math.max(...numbers), parts);
}

export function niceRange(low: number, high: number, parts: number): Range {
  const interval = niceStep((high - low || 1) / parts);
  const [min, max] = [Math.floor(low / interval + 1e-9) * interval, Math.ceil(high / interval - 1e-9) * interval];
  return { min, max: max > min ? max : min + interval, interval };
}

function niceStep(raw: number): number {
  const power = 10 ** Math.floor(Math.log10(raw));
  return power * ([1, 2, 2.5, 5, 10].find((unit) => power * unit >= raw * 0.999) ?? 10);
}

/** Signs in one line of a row's name; a full-width sign counts as two. */
function signs(text: string): number {
  return [...text].reduce((sum, sign) => sum + (sign.charCodeAt(0) > 0x2e7f ? 2 : 1.1), 0);
}

export function labelRoom(width: number): number {
  return width < NARROW ? 104 : 200;
}

/** How many lines a name takes where words stay whole and full-width signs break anywhere. */
function linesOf(text: string, perLine: number): number {
  let [lines, used] = [1, 0];
  for (const word of text.split(/(?<=\s)|(?=[\u2e80-\uffff])|(?<=[\u2e80-\uffff])/)) {
    const width = signs(word);
    if (used > 0 && used + width > perLine) [lines, used] = [lines + 1, 0];
    lines += Math.floor(width / perLine);
    used += width % perLine;
  }
  return lines;
}

/** How high a row must be for the longest name, which breaks where its place is too narrow. */
export function rowHeight(points: Point[], width: number, least: number): number {
  const perLine = (labelRoom(width) / LABEL_SIZE) * 2;
  return Math.max(least, ...points.map((point) => linesOf(point.label, perLine) * LINE_HEIGHT + 8));
}

/** Rows of units, domains or items, first on top, names left; a compact chart names its focus alone. */
export function rowAxis(chart: ChartData, points: Point[], look: Look, width: number): Option {
  return {
    type: "category",
    inverse: true,
    data: points.map((point) =>
      point.focus ? { value: point.label, textStyle: { fontWeight: 700 } } : { value: point.label },
    ),
    axisLabel: {
      color: look.ink,
      fontSize: LABEL_SIZE,
      width: labelRoom(width),
      overflow: "break",
      lineHeight: LINE_HEIGHT,
      interval: 0,
      margin: 12,
      ...(chart.compact ? { formatter: (label: string, at: number) => (points[at]?.focus ? label : "") } : {}),
    },
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
    data: points.map((point) => (chart.compact && !point.focus ? "" : valueText(chart, point))),
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

export interface Line {
  reference: Reference;
  words: string;
  row: number;
}

/** Reference lines from left to right, each on the lowest row where its words lie on no others. */
export function placedLines(chart: ChartData, range: { min: number; max: number }, width: number): Line[] {
  const ends: number[] = [];
  const perUnit = width / (range.max - range.min || 1);
  return [...chart.references]
    .sort((a, b) => a.value - b.value)
    .map((reference) => {
      const words = `${reference.label} ${numberText(reference.value, Number.isInteger(reference.value) ? 0 : chart.decimals)}`;
      const half = (signs(words) * 12) / 4;
      const centre = (reference.value - range.min) * perUnit;
      const found = ends.findIndex((end) => centre - half > end);
      const row = found < 0 ? ends.length : found;
      ends[row] = centre + half + 6;
      return { reference, words, row };
    });
}

export function lineRoom(lines: Line[]): number {
  return lines.length === 0 ? 8 : 24 + LINE_HEIGHT * Math.max(...lines.map((line) => line.row));
}

/** Lines across the chart, upright or level, with their names beside them. */
export function referenceLines(lines: Line[], look: Look, axis: "xAxis" | "yAxis", isInverse = false): Option {
  return {
    silent: true,
    symbol: "none",
    animation: false,
    lineStyle: { color: look.muted, type: [4, 3], width: 1.5 },
    data: lines.map(({ reference, words, row }) => ({
      [axis]: reference.value,
      label: {
        show: true,
        position: axis === "yAxis" ? "insideEndTop" : isInverse ? "start" : "end",
        distance: axis === "xAxis" ? 4 + LINE_HEIGHT * row : 4,
        color: look.muted,
        fontSize: 12,
        formatter: words,
      },
    })),
  };
}
