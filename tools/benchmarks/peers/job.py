"""What the peers share: the job that is read, and the lines that are answered."""
import json
import os
import sys
import time

import numpy as np


class Job:
    def __init__(self, folder):
        with open(os.path.join(folder, 'job.json')) as file:
            self.__dict__.update(json.load(file))
        read = lambda name, kind: np.fromfile(os.path.join(folder, name), kind)
        self.images = read('images', np.uint8).reshape([-1, *self.shape]).astype(np.float32) / 255
        self.labels = read('labels', np.uint8).astype(np.int64)
        flat, at, self.values = read('weights', np.float32), 0, {}
        for weight in self.weights:
            size = int(np.prod(weight['shape']))
            self.values[weight['name']] = flat[at:at + size].reshape(weight['shape'])
            at += size

    def is_noise(self, name):
        return name.endswith(('/mu', '/log_sigma'))


def answer(peer):
    """Answers requests with `peer`: open(job, seconds), step(indices), objective(), version, parameters."""
    job = at = None

    def batch():
        nonlocal at
        indices = order[at:at + job.batch]
        at = at + job.batch if at + 2 * job.batch <= len(order) else 0
        return indices

    def take(seconds):
        """Steps for so long, as many at a time as there is time for, so that looking at the clock costs nothing."""
        steps, start, images = 1, time.perf_counter(), 0
        while True:
            for _ in range(steps):
                peer.step(batch())
            images += steps * job.batch
            peer.objective()
            spent = time.perf_counter() - start
            if spent >= 0.9 * seconds:
                return {'images': images, 'seconds': spent}
            steps = max(1, int((seconds - spent) * images / job.batch / spent))

    def check():
        peer.open(job)
        objectives = []
        for _ in range(8):
            peer.step(np.arange(job.batch))
            objectives.append(peer.objective())
        return {'first': objectives[0], 'last': objectives[-1]}

    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request['do'] == 'open':
                job = Job(request['job'])
                order, at = np.random.RandomState(0).permutation(job.examples), 0
                peer.open(job)
                reply = {'parameters': peer.parameters, 'version': peer.version}
                if len(peer.threads) > 1:
                    take(request['seconds'])
                    rates = {threads: [] for threads in peer.threads}
                    for _ in range(3):
                        for threads in peer.threads:
                            peer.use_threads(threads)
                            peer.step(batch())
                            taken = take(request['seconds'] / 2)
                            rates[threads].append(taken['images'] / taken['seconds'])
                    best = max(peer.threads, key=lambda threads: sorted(rates[threads])[1])
                    peer.use_threads(best)
                    reply['setting'] = f'{best} thread' + ('s' if best > 1 else '')
            elif request['do'] == 'check':
                reply = check()
            elif request['do'] == 'run':
                reply = take(request['seconds'])
            elif request['do'] == 'close':
                reply = {}
            else:
                reply = {'error': f"no answer to {request['do']}"}
        except Exception as error:  # whatever it is, the benchmark's row tells
            reply = {'error': f'{type(error).__name__}: {error}'.replace('\n', ' ')}
        print(json.dumps(reply), flush=True)
