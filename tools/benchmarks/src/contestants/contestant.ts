import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Answers, Request } from './lines.js';

/** A contestant cannot take part; the message is the reason, in one line. */
export class Absent extends Error {
  override readonly name = 'Absent';
}

/** A program that trains when it is asked to, and waits for the rest of the time. */
export class Contestant {
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;
  private errors = '';

  constructor(command: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const [program, ...args] = command as [string, ...string[]];
    this.child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.on('error', (error) => {
      this.errors = error.message;
    });
    // a write to a program that died; its end shows in the answer that never comes
    this.child.stdin?.on('error', () => {});
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.errors = (this.errors + text).slice(-4000);
    });
    const output = createInterface({ input: this.child.stdout as NodeJS.ReadableStream });
    this.lines = output[Symbol.asyncIterator]();
  }

  /** @throws Absent where it fails or is gone */
  async ask<Kind extends Request['do']>(request: Extract<Request, { do: Kind }>): Promise<Answers[Kind]> {
    this.child.stdin?.write(`${JSON.stringify(request)}\n`);
    for (;;) {
      const { value, done } = await this.lines.next();
      if (done) throw new Absent(`it ended: ${lastLine(this.errors) || 'it said nothing'}`);
      // libraries print there, too
      if (!value.startsWith('{')) continue;
      const answer = JSON.parse(value) as Answers[Kind] & { error?: string };
      if (answer.error !== undefined) throw new Absent(lastLine(answer.error));
      return answer;
    }
  }

  stop(): void {
    this.child.kill('SIGKILL');
  }
}

/** What tells most of what a program said: its last line that speaks of an error, else its last. */
function lastLine(text: string): string {
  const lines = text.trim().split('\n');
  return (lines.findLast((line) => /^\s*\S*(error|exception)\b/i.test(line)) ?? lines.at(-1) ?? '').trim();
}
