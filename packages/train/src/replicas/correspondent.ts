import { TrainError } from '../errors.js';
import type { TrainProgress } from '../run/state.js';
import type { Reply, Request } from './messages.js';

/** The way to a replica, wherever it lives. */
export interface Channel {
  post(request: Request): void;
  listen(on: { reply(reply: Reply): void; death(reason: string): void }): void;
  /** Ends the replica. */
  end(): Promise<unknown>;
}

/** One replica and its answers, in order. */
export class Correspondent {
  private failure: Error | undefined;
  private stopping = false;
  private waiting:
    | {
        kind: Reply['kind'];
        onProgress?: ((p: never) => void) | undefined;
        done: (e?: Error, r?: Reply) => void;
      }
    | undefined;
  private early: Reply[] = [];

  constructor(
    private readonly channel: Channel,
    index: number,
    onDeath: () => void,
  ) {
    const death = (reason: string) => {
      if (this.stopping || this.failure) return;
      this.failure = new TrainError(`replica ${index + 1} died: ${reason}`, 'replica-died');
      onDeath();
      this.waiting?.done(this.failure);
    };
    const reply = (said: Reply) => (said.kind === 'dying' ? death(said.reason) : this.hear(said));
    channel.listen({ death, reply });
  }

  ask(request: Request): void {
    this.channel.post(request);
  }

  answer<K extends Reply['kind']>(
    kind: K,
    onProgress?: (progress: Omit<TrainProgress, 'epochs'>) => void,
  ): Promise<Extract<Reply, { kind: K }>> {
    return new Promise((resolve, reject) => {
      if (this.failure) return reject(this.failure);
      this.waiting = {
        kind,
        onProgress: onProgress as (p: never) => void,
        done: (error, reply) => {
          this.waiting = undefined;
          if (error) reject(error);
          else resolve(reply as Extract<Reply, { kind: K }>);
        },
      };
      for (const reply of this.early.splice(0)) this.hear(reply);
    });
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.channel.end();
  }

  private hear(reply: Reply): void {
    if (!this.waiting) this.early.push(reply);
    else if (reply.kind === 'progress') this.waiting.onProgress?.(reply.progress as never);
    else if (reply.kind === this.waiting.kind) this.waiting.done(undefined, reply);
  }
}
