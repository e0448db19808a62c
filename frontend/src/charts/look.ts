export interface Look {
  ink: string;
  muted: string;
  rule: string;
  surface: string;
  series: string[];
  steps: string[];
  onLow: string;
  onHigh: string;
  type: string;
  isStill: boolean;
}

/** The colours in force now, read from the page's own tokens. */
export function currentLook(): Look {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: token("ink"),
    muted: token("muted"),
    rule: token("rule"),
    surface: token("page"),
    series: [0, 1, 2, 3, 4, 5].map((index) => token(`series-${index}`)),
    steps: [0, 1, 2, 3, 4].map((index) => token(`step-${index}`)),
    onLow: token("on-step-low"),
    onHigh: token("on-step-high"),
    type: token("type"),
    isStill: window.matchMedia("(prefers-reduced-motion: reduce)").matches,
  };
}

export function colorOf(look: Look, index: number): string {
  return look.series[index % look.series.length] ?? look.ink;
}

/** Steps of the sequential scale for `count` ordered levels, spread over its whole length. */
export function ramp(count: number): number[] {
  if (count === 1) return [3];
  return Array.from({ length: count }, (_, index) => Math.round((index * 4) / (count - 1)));
}
