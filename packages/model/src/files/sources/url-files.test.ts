import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModel } from '../../load-model.js';
import { filesOf, refusal, smallNet } from '../../testing/saved.js';

let server: Server;
let base: string;
const asked: string[] = [];
let files: Record<string, Uint8Array>;
let answer: RequestListener;
beforeAll(async () => {
  await tf.setBackend('cpu');
  server = createServer((request, response) => {
    asked.push(request.url!);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  files = await filesOf(smallNet());
});
afterAll(() => server.close());

const serve = (own: Record<string, Uint8Array | string>): void => {
  asked.length = 0;
  answer = (request, response) => {
    const content = own[new URL(request.url!, base).pathname];
    response.statusCode = content === undefined ? 404 : 200;
    response.end(content);
  };
};
const withPaths = async (paths: string[]) =>
  (
    await filesOf(smallNet(), (json) => {
      json.weightsManifest[0].paths = paths;
    })
  )['model.json']!;

describe('loadModel from a URL', () => {
  it('fetches weights from beside the model, with its query behind them', async () => {
    serve({ '/models/model.json': files['model.json']!, '/models/weights.bin': files['weights.bin']! });
    expect((await loadModel(`${base}/models/model.json?key=1`)).countParams()).toBe(15);
    expect(asked).toEqual(['/models/model.json?key=1', '/models/weights.bin?key=1']);
    expect((await loadModel(new URL(`${base}/models/model.json`))).countParams()).toBe(15);
  });

  it('joins shards', async () => {
    const bytes = files['weights.bin']!;
    serve({
      '/model.json': await withPaths(['a.bin', 'b c.bin']),
      '/a.bin': bytes.subarray(0, 7),
      '/b%20c.bin': bytes.subarray(7),
    });
    expect((await loadModel(`${base}/model.json`)).countParams()).toBe(15);
  });

  it('reads a name that looks like a way out as a name', async () => {
    serve({ '/a/model.json': await withPaths(['%2e%2e/secret.bin']), '/secret.bin': files['weights.bin']! });
    const { message } = await refusal(loadModel(`${base}/a/model.json`));
    expect(message).toMatch(/\/a\/%252e%252e\/secret\.bin can't be had: the server says 404 Not Found/);
    expect(asked).toEqual(['/a/model.json', '/a/%252e%252e/secret.bin']);
  });

  it('does not ask for files elsewhere', async () => {
    for (const path of ['../secret.bin', '//127.0.0.1/secret.bin', 'http://127.0.0.1/secret.bin']) {
      serve({ '/a/model.json': await withPaths([path]) });
      expect((await refusal(loadModel(`${base}/a/model.json`))).message).toMatch(/which (leads out|is an a)/);
      expect(asked).toEqual(['/a/model.json']);
    }
  });

  it('stops reading where there is more than the manifest says, announced or not', async () => {
    for (const announced of [true, false]) {
      let sent = 0;
      answer = (request, response) => {
        if (request.url === '/model.json') return response.end(files['model.json']);
        if (announced) response.setHeader('content-length', 1e12);
        const more = () => {
          while (!response.destroyed && sent < 1e9) {
            sent += 1e5;
            if (!response.write(Buffer.alloc(1e5))) return response.once('drain', more);
          }
          return response;
        };
        return more();
      };
      const { message } = await refusal(loadModel(`${base}/model.json`));
      expect(message).toMatch(/weights\.bin: expected 60 bytes, as model\.json says, found at least 61/);
      expect(sent).toBeLessThan(5e7);
    }
  });

  it('says what the server says, and that there is none', async () => {
    serve({});
    expect((await refusal(loadModel(`${base}/model.json`))).message).toMatch(
      /^http:\S+\/model\.json can't be had: the server says 404 Not Found$/,
    );
    expect((await refusal(loadModel('http://127.0.0.1:9/model.json'))).message).toMatch(
      /^http:\/\/127\.0\.0\.1:9\/model\.json can't be had: fetch failed/,
    );
    expect((await refusal(loadModel('ftp://host/model.json'))).message).toMatch(
      /is of the kind ftp:, which can't be read/,
    );
    expect((await refusal(loadModel('http://:/'))).message).toMatch(/is no URL/);
  });

  it('says that a page is no model', async () => {
    serve({ '/model.json': '<!doctype html><title>Not here</title>' });
    expect((await refusal(loadModel(`${base}/model.json`))).message).toMatch(/model\.json is not JSON/);
  });

  it('uses the fetch that it is given', async () => {
    serve({ '/model.json': files['model.json']!, '/weights.bin': files['weights.bin']! });
    const urls: string[] = [];
    const own = (url: string) => {
      urls.push(url);
      return fetch(url);
    };
    await loadModel(`${base}/model.json`, { fetch: own });
    expect(urls).toEqual([`${base}/model.json`, `${base}/weights.bin`]);
  });
});
