/** How a target was met. */
export interface TargetReport {
  /** What the target is of. */
  readonly measure: string;
  /** By which criterion; 'own' for a function. */
  readonly criterion: string;
  /** What was asked for, as a fraction of before. */
  readonly asked: number;
  /** What is left, as a fraction of before: at most `asked`. */
  readonly reached: number;
  /** Groups that were taken: of an SNR above the noise's threshold (without noise, all), and of one not above it. */
  readonly taken: { readonly above: number; readonly below: number };
  /** Groups not above the threshold that the target had room for; they stay with their E θ. */
  readonly keptBelow: number;
}
