/** Counts samples, and says at the most every few seconds how many are left and for how long. */
export function progress(
  total: number,
  say: (line: string) => void,
  now: () => number = () => performance.now(),
) {
  const start = now();
  let done = 0;
  let last = start;
  return (label: string, samples = 1): void => {
    done = Math.min(done + samples, total);
    if (now() - last < 5000) return;
    last = now();
    const left = ((last - start) / done) * (total - done);
    say(`${label} · ${Math.round((100 * done) / total)} % · about ${duration(left / 1000)} left`);
  };
}

function duration(seconds: number): string {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.round(seconds / 60)} min`;
}
