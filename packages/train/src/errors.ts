/** Training cannot start or go on as asked; one line that says what is wrong and what to do. */
export class TrainError extends Error {
  override name = 'TrainError';

  /**
   * @param code 'replica-died' where nothing is wrong with what was asked for: it may well work again; 'stopped' where somebody wanted it to; 'not-finite' where the loss stopped being a
   *   number; none where what was asked for can't be done
   */
  constructor(
    message: string,
    readonly code?: 'replica-died' | 'stopped' | 'not-finite',
  ) {
    super(message);
  }
}
