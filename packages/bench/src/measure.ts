/** How a chart tells errors. */
export interface Told {
  /** Whether they are shares in %. */
  isShare: boolean;
  /** Name of their axis. */
  axis: string;
  /** One of them, with its unit. */
  shown(value: number): string;
}

/** @param measure what the errors are, in words; shares in % end in that sign */
export function told(measure = 'error %'): Told {
  const isShare = measure.endsWith('%');
  return {
    isShare,
    axis: isShare ? 'error (%)' : measure,
    shown: (value) => {
      if (!Number.isFinite(value)) return isShare ? '– %' : '–';
      return isShare ? `${value.toFixed(2)} %` : String(Number(value.toPrecision(4)));
    },
  };
}
