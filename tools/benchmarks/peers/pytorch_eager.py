"""The same networks and step in PyTorch, eager, as a person would write them there. Answers lines; see job.py."""
import math
import os

import numpy as np
import torch
import torch.nn.functional as F

from job import answer


class Noise(torch.nn.Module):
    def __init__(self, job, mu, log_sigma):
        super().__init__()
        self.mu = torch.nn.Parameter(mu)
        self.log_sigma = torch.nn.Parameter(log_sigma)
        self.a, self.b = job.bounds['a'], job.bounds['b']

    def parts(self):
        sigma = self.log_sigma.exp()
        alpha, beta = (self.a - self.mu) / sigma, (self.b - self.mu) / sigma
        below = torch.special.ndtr(alpha)
        return sigma, alpha, beta, below, (torch.special.ndtr(beta) - below).clamp_min(1e-8)

    def forward(self, x):
        sigma, alpha, beta, below, mass = self.parts()
        p = (below + torch.rand_like(self.mu) * mass).clamp(1e-6, 1 - 1e-6)
        theta = (self.mu + sigma * torch.special.ndtri(p)).clamp(self.a, self.b).exp()
        density = lambda t: torch.exp(-0.5 * t * t) / math.sqrt(2 * math.pi)
        edges = (alpha * density(alpha) - beta * density(beta)) / (2 * mass)
        constant = math.log(self.b - self.a) - 0.5 * math.log(2 * math.pi * math.e)
        self.kl = (constant - self.log_sigma - mass.log() - edges).sum()
        return x * (theta[:, None, None] if x.dim() == 4 else theta)


class Flatten(torch.nn.Module):
    def forward(self, x):
        return x.flatten(1)


def network(job):
    """Channels first, as PyTorch has it, so kernels are turned, and so are the rows that read a flattened image."""
    tensor = lambda array: torch.from_numpy(np.array(array))
    value = lambda name: tensor(job.values[name])
    layers, turned, channels = [], False, job.shape[2]
    for layer in job.layers:
        kind = layer['kind']
        name = layer.get('name')
        if kind == 'conv':
            kernel = job.values[f'{name}/kernel']
            size, _, inputs, channels = kernel.shape
            padding = size // 2 if layer['padding'] == 'same' else 0
            made = torch.nn.Conv2d(inputs, channels, size, padding=padding, bias=layer['bias'])
            made.weight.data = tensor(kernel.transpose(3, 2, 0, 1))
            if layer['bias']:
                made.bias.data = value(f'{name}/bias')
        elif kind == 'dense':
            kernel = job.values[f'{name}/kernel']
            if turned and len(kernel) > channels:
                kernel = kernel.reshape(-1, channels, kernel.shape[1]).transpose(1, 0, 2).reshape(kernel.shape)
            turned = False
            made = torch.nn.Linear(*kernel.shape)
            made.weight.data, made.bias.data = tensor(kernel.T), value(f'{name}/bias')
        elif kind == 'batchNorm':
            made = torch.nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)
        elif kind == 'noise':
            made = Noise(job, value(f'{name}/mu'), value(f'{name}/log_sigma'))
        elif kind == 'flatten':
            made, turned = Flatten(), True
        else:
            made = torch.nn.MaxPool2d(2) if kind == 'pool' else torch.nn.ReLU()
        layers.append(made)
    return torch.nn.Sequential(*layers).train()


class Peer:
    version = torch.__version__
    threads = sorted({1, len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()})

    def use_threads(self, threads):
        torch.set_num_threads(threads)

    def open(self, job):
        torch.manual_seed(0)
        self.job = job
        self.model = network(job)
        self.noises = [layer for layer in self.model if isinstance(layer, Noise)]
        self.images = torch.from_numpy(np.ascontiguousarray(job.images.transpose(0, 3, 1, 2)))
        self.labels = torch.from_numpy(job.labels)
        of_noise = {id(p) for noise in self.noises for p in (noise.mu, noise.log_sigma)}
        all_of_it = list(self.model.parameters())
        self.parameters = sum(p.numel() for p in all_of_it)
        groups = [{'params': [p for p in all_of_it if id(p) not in of_noise], 'lr': job.adam['learningRate']}]
        if of_noise:
            groups.append({'params': [p for p in all_of_it if id(p) in of_noise], 'lr': job.adam['noiseRate']})
        betas = (job.adam['beta1'], job.adam['beta2'])
        self.optimizer = torch.optim.Adam(groups, betas=betas, eps=job.adam['epsilon'], fused=True)

    def step(self, indices):
        at = torch.from_numpy(indices)
        loss = F.cross_entropy(self.model(self.images[at]), self.labels[at])
        self.loss = loss + sum(noise.kl for noise in self.noises) / self.job.trainExamples
        self.optimizer.zero_grad(set_to_none=True)
        self.loss.backward()
        self.optimizer.step()

    def objective(self):
        return self.loss.item()


answer(Peer())
