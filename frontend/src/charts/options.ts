import type { CustomSeriesRenderItemAPI, CustomSeriesRenderItemParams, CustomSeriesRenderItemReturn } from "echarts";
import { numberText, type ChartData, type Point, type Series } from "./data";
import { colorOf, ramp, type Look } from "./look";
import {
  AXIS_HEIGHT,
  NARROW,
  datum,
  figureAxis,
  frame,
  labelRoom,
  legendOf,
  lineRoom,
  niceRange,
  placedLines,
  referenceLines,
  rowAxis,
  rowHeight,
  shown,
  valueAxis,
  valueRange,
  type Datum,
  type Drawn,
  type Option,
  type Range,
} from "./parts";

type Draw = (chart: ChartData, look: Look, width: number) => Drawn;
type RenderItem = (params: CustomSeriesRenderItemParams, api: CustomSeriesRenderItemAPI) => CustomSeriesRenderItemReturn;

const PLOT_HEIGHT = 240;
const LEGEND_HEIGHT = 28;
/** Room for the values at the right ends of rows. */
const FIGURE_ROOM = 72;
/** The series colour of what stands beside the focus without a name. */
const GREY = 5;

interface Stroke {
  color: string;
  width: number;
  isUpright?: boolean;
  offset?: number;
}

/** An interval as a thick line; `isUpright` where values run up the page. */
function intervalItem({ color, width, isUpright = false, offset = 0 }: Stroke): RenderItem {
  return (_params, api) => {
    const at = api.value(0);
    const ends = [api.value(1), api.value(2)].map((value) => api.coord(isUpright ? [at, value] : [value, at]));
    const [from, to] = ends;
    if (!from || !to) return { type: "group", children: [] };
    const move = (corner: number[]) => (isUpright ? [corner[0] ?? 0, corner[1] ?? 0] : [corner[0] ?? 0, (corner[1] ?? 0) + offset]);
    const [x1, y1] = move(from);
    const [x2, y2] = move(to);
    return {
      type: "line",
      shape: { x1: x1 ?? 0, y1: y1 ?? 0, x2: x2 ?? 0, y2: y2 ?? 0 },
      style: { stroke: color, lineWidth: width, lineCap: "round" },
      silent: true,
    };
  };
}

/** The intervals of a series, drawn above bars (z 2) and below dots and ticks (z 4). */
function intervals(series: Series, stroke: Stroke, places: Map<string, number>): Option {
  const drawn = series.points.filter((point) => !point.suppressed && point.low !== undefined && places.has(point.label));
  return {
    type: "custom",
    name: series.name,
    silent: true,
    tooltip: { show: false },
    renderItem: intervalItem(stroke),
    encode: stroke.isUpright ? { x: 0, y: [1, 2] } : { x: [1, 2], y: 0 },
    data: drawn.map((point) => [places.get(point.label) ?? 0, point.low ?? 0, point.high ?? 0]),
    z: 3,
  };
}

const drawHistogram: Draw = (chart, look, width) => {
  const legend = legendOf(chart, look);
  const subject = chart.series[0] ?? { name: "", points: [] };
  const edges = subject.points.flatMap((point) => [point.begin ?? 0, point.end ?? 0]);
  const across = { min: Math.min(...edges), max: Math.max(...edges) };
  const marks = niceRange(across.min, across.max, width < NARROW ? 6 : 9);
  const lines = placedLines(chart, across, width - 48);
  const top = (legend ? LEGEND_HEIGHT : 0) + lineRoom(lines);
  const bars: RenderItem = (_params, api) => {
    const from = api.coord([api.value(0), api.value(2)]);
    const to = api.coord([api.value(1), 0]);
    const [x = 0, y = 0] = from;
    const shape = { x: x + 0.5, y, width: Math.max(0, (to[0] ?? 0) - x - 1), height: (to[1] ?? 0) - y };
    return { type: "rect", shape, style: { fill: colorOf(look, 0) }, emphasis: { style: { fill: look.ink } } };
  };
  const others = chart.series.slice(1).map((series, index) => ({
    type: "line",
    name: series.name,
    step: "end",
    symbol: "none",
    silent: true,
    lineStyle: { color: colorOf(look, index + 1), width: 2 },
    itemStyle: { color: colorOf(look, index + 1) },
    data: [
      ...series.points.map((point) => [point.begin ?? 0, shown(point) ?? 0]),
      ...series.points.slice(-1).map((point) => [point.end ?? 0, shown(point) ?? 0]),
    ],
  }));
  return {
    height: PLOT_HEIGHT + top + AXIS_HEIGHT,
    option: {
      ...frame(chart, look),
      ...(legend ? { legend } : {}),
      grid: { left: 4, right: 12, top, bottom: 4, containLabel: true },
      xAxis: {
        ...valueAxis(look),
        ...across,
        splitLine: { show: false },
        axisLabel: { color: look.muted, fontSize: 12, customValues: ticksWithin(marks, across) },
      },
      yAxis: { ...valueAxis(look), ...valueRange({ ...chart, minimum: null, maximum: null }, 4, true) },
      series: [
        {
          type: "custom",
          name: subject.name,
          renderItem: bars,
          itemStyle: { color: colorOf(look, 0) },
          encode: { x: [0, 1], y: 2 },
          data: subject.points.map((point) => datum(subject, point, [point.begin ?? 0, point.end ?? 0, shown(point) ?? 0])),
          markLine: referenceLines(lines, look, "xAxis"),
        },
        ...others,
      ],
    },
  };
};

function ticksWithin(marks: Range, across: { min: number; max: number }): number[] {
  const count = Math.round((marks.max - marks.min) / marks.interval);
  const all = Array.from({ length: count + 1 }, (_, index) => marks.min + index * marks.interval);
  return all.filter((value) => value >= across.min && value <= across.max);
}

const drawLevels: Draw = (chart, look, width) => {
  const steps = ramp(chart.series.length);
  const rows = chart.series[0]?.points ?? [];
  const room = width - (width < NARROW ? 120 : 220);
  const legendRows = Math.ceil(chart.series.reduce((sum, series) => sum + series.name.length * 12 + 40, 0) / width);
  const top = legendRows * 24 + 8;
  return {
    height: top + rows.length * rowHeight(rows, width, 38) + 8,
    option: {
      ...frame(chart, look),
      legend: { ...legendOf(chart, look), data: chart.series.map((series) => ({ name: series.name })), selectedMode: false },
      grid: { left: 4, right: 8, top, bottom: 4, containLabel: true },
      xAxis: { type: "value", max: 100, show: false },
      yAxis: rowAxis(chart, rows, look, width),
      series: chart.series.map((series, index) => {
        const step = steps[index] ?? 0;
        return {
          type: "bar",
          name: series.name,
          stack: "all",
          barWidth: 26,
          itemStyle: { color: look.steps[step], borderColor: look.surface, borderWidth: 0.5 },
          emphasis: { itemStyle: { borderColor: look.ink, borderWidth: 1.5 } },
          label: {
            show: true,
            color: step < 3 ? look.onLow : look.onHigh,
            fontSize: 12,
            formatter: (item: { data: Datum }) => {
              const share = shown(item.data.point) ?? 0;
              return (share * room) / 100 > 24 ? numberText(share, 0) : "";
            },
          },
          data: series.points.map((point) => datum(series, point, shown(point))),
        };
      }),
    },
  };
};

const drawIntervalDots: Draw = (chart, look, width) => {
  const legend = legendOf(chart, look);
  const rows = chart.series[0]?.points ?? [];
  const places = new Map(rows.map((point, index) => [point.label, index]));
  const spread = chart.series.length > 1 ? 12 : 0;
  const range = valueRange(chart, width < NARROW ? 3 : 6);
  const lines = placedLines(chart, range, width - labelRoom(width) - FIGURE_ROOM);
  const top = (legend ? LEGEND_HEIGHT : 0) + lineRoom(lines);
  const series = chart.series.flatMap((group, index) => {
    const offset = (index - (chart.series.length - 1) / 2) * spread;
    const color = colorOf(look, index);
    const dot = index === 0 ? { color, opacity: 1 } : { color: look.surface, borderColor: color, borderWidth: 2, opacity: 1 };
    const drawn = group.points.filter((point) => shown(point) !== null && places.has(point.label));
    const isSmall = (point: Point) => chart.compact && !point.focus;
    const stroked = (isFaint: boolean) => ({ ...group, points: group.points.filter((point) => isSmall(point) === isFaint) });
    return [
      intervals(stroked(true), { color: colorOf(look, GREY), width: 1.5, offset }, places),
      intervals(stroked(false), { color, width: 3, offset }, places),
      {
        type: "scatter",
        name: group.name,
        symbolSize: index === 0 ? 13 : 11,
        symbolOffset: [0, offset],
        cursor: drawn.some((point) => point.url) ? "pointer" : "default",
        itemStyle: dot,
        emphasis: { scale: 1.3 },
        z: 4,
        data: drawn.map((point) => ({
          ...datum(group, point, [point.value, places.get(point.label) ?? 0]),
          ...(isSmall(point) ? { symbolSize: 5, itemStyle: { color: colorOf(look, GREY), opacity: 1 } } : {}),
        })),
        ...(index === 0 ? { markLine: referenceLines(lines, look, "xAxis", true) } : {}),
      },
    ];
  });
  const step = chart.compact ? compactStep(rows.length) : rowHeight(rows, width, chart.series.length > 2 ? 48 : 38);
  return {
    height: top + rows.length * step + AXIS_HEIGHT,
    option: {
      ...frame(chart, look),
      ...(legend ? { legend } : {}),
      grid: { left: 4, right: 4, top, bottom: 4, containLabel: true },
      xAxis: { ...valueAxis(look), ...range },
      yAxis: [rowAxis(chart, rows, look, width), figureAxis(chart, rows, look)],
      series,
    },
  };
};

/** Height of the rows of a compact chart: the more there are, the closer they stand. */
function compactStep(count: number): number {
  return Math.min(16, Math.max(4, 560 / Math.max(1, count)));
}

const drawItemBars: Draw = (chart, look, width) => {
  const fill = look.steps[2] ?? colorOf(look, 0);
  const legend = legendOf(chart, look, fill);
  const subject = chart.series[0] ?? { name: "", points: [] };
  const rows = subject.points;
  const places = new Map(rows.map((point, index) => [point.label, index]));
  const range = valueRange(chart, width < NARROW ? 3 : 6, true);
  const lines = placedLines(chart, range, width - labelRoom(width) - FIGURE_ROOM);
  const top = (legend ? LEGEND_HEIGHT : 0) + lineRoom(lines);
  const beside = chart.series.slice(1).flatMap((group, index) => {
    const color = colorOf(look, index + 1);
    const tick = {
      type: "scatter",
      name: group.name,
      symbol: "rect",
      symbolSize: [3, 22],
      itemStyle: { color, opacity: 1 },
      z: 4,
      data: group.points
        .filter((point) => shown(point) !== null && places.has(point.label))
        .map((point) => datum(group, point, [point.value, places.get(point.label) ?? 0])),
    };
    return [intervals(group, { color, width: 2 }, places), tick];
  });
  return {
    height: top + rows.length * rowHeight(rows, width, 28) + AXIS_HEIGHT,
    option: {
      ...frame(chart, look),
      ...(legend ? { legend } : {}),
      grid: { left: 4, right: 4, top, bottom: 4, containLabel: true },
      xAxis: { ...valueAxis(look), ...range },
      yAxis: [rowAxis(chart, rows, look, width), figureAxis(chart, rows, look)],
      series: [
        {
          type: "bar",
          name: subject.name,
          barWidth: 16,
          cursor: rows.some((point) => point.url) ? "pointer" : "default",
          itemStyle: { color: fill, borderRadius: [0, 2, 2, 0] },
          data: rows.map((point) => datum(subject, point, shown(point))),
          markLine: referenceLines(lines, look, "xAxis", true),
        },
        intervals(subject, { color: look.ink, width: 2 }, places),
        ...beside,
      ],
    },
  };
};

const drawTrend: Draw = (chart, look, width) => {
  const labels = (chart.series[0]?.points ?? []).map((point) => point.label);
  const places = new Map(labels.map((label, index) => [label, index]));
  const isNarrow = width < NARROW;
  const legend = isNarrow ? legendOf(chart, look) : undefined;
  const top = (legend ? LEGEND_HEIGHT : 0) + 16;
  const longest = Math.max(0, ...chart.series.map((series) => series.name.length));
  const range = valueRange(chart, 4);
  const lines = chart.references.map((reference) => placedLines({ ...chart, references: [reference] }, range, width)).flat();
  const shifts = endShifts(chart, PLOT_HEIGHT / (range.max - range.min));
  const series = chart.series.flatMap((group, index) => {
    const color = colorOf(look, index);
    return [
      intervals(group, { color, width: 2, isUpright: true }, places),
      {
        type: "line",
        name: group.name,
        symbol: "circle",
        symbolSize: 10,
        lineStyle: { color, width: 2 },
        itemStyle: { color },
        endLabel: { show: !isNarrow, formatter: group.name, color, fontSize: 12, distance: 12, offset: [0, shifts[index] ?? 0] },
        data: group.points.map((point) => datum(group, point, [point.label, shown(point)])),
        ...(index === 0 ? { markLine: referenceLines(lines, look, "yAxis") } : {}),
      },
    ];
  });
  return {
    height: PLOT_HEIGHT + top + AXIS_HEIGHT,
    option: {
      ...frame(chart, look),
      ...(legend ? { legend } : {}),
      grid: { left: 4, right: isNarrow ? 12 : Math.min(200, longest * 13 + 24), top, bottom: 4, containLabel: true },
      xAxis: { type: "category", data: labels, axisLabel: { color: look.muted }, axisLine: { lineStyle: { color: look.rule } }, axisTick: { show: false } },
      yAxis: { ...valueAxis(look), ...range },
      series,
    },
  };
};

/** How far the names at the right ends move so that none lies on another. */
function endShifts(chart: ChartData, pixelsPerUnit: number): number[] {
  const ends = chart.series.map((series, index) => ({ index, at: -(shown(series.points.at(-1)) ?? 0) * pixelsPerUnit }));
  const shifts: number[] = [];
  let last = -Infinity;
  for (const end of ends.sort((a, b) => a.at - b.at)) {
    const place = Math.max(end.at, last + 16);
    shifts[end.index] = place - end.at;
    last = place;
  }
  return shifts;
}

export const DRAWS: Record<Exclude<ChartData["kind"], "tiles">, Draw> = {
  histogram: drawHistogram,
  levels: drawLevels,
  interval_dots: drawIntervalDots,
  item_bars: drawItemBars,
  trend: drawTrend,
};
