"""
ResNet-20 as sbp train left it, cut by Torch-Pruning and fine-tuned on CIFAR-10 by the recipe of sbp compress: Adam, batches of the same size, a cosine with a twentieth of warm-up, half
of the loss against what the network as it was says (temperature 2), crops by an eighth of the side and flips; last epoch. Prints lines of JSON: progress, and at the end the result.
"""
import argparse
import json
import math
import os
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch_pruning as tp

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)


class Block(nn.Module):
    def __init__(self, inputs, channels, stride):
        super().__init__()
        self.stride = stride
        self.a, self.a_bn = conv(inputs, channels, 3, stride)
        self.b, self.b_bn = conv(channels, channels, 3, 1)
        if stride > 1:
            self.shortcut, self.shortcut_bn = conv(inputs, channels, 1, stride)

    def forward(self, x):
        shortcut = self.shortcut_bn(self.shortcut(x)) if self.stride > 1 else x
        # TensorFlow's 'same' padding of a strided convolution is one-sided
        padded = F.pad(x, (0, 1, 0, 1)) if self.stride > 1 else x
        y = F.relu(self.a_bn(self.a(padded)))
        return F.relu(self.b_bn(self.b(y)) + shortcut)


def conv(inputs, channels, size, stride):
    padding = size // 2 if stride == 1 else 0
    # Keras's momentum and epsilon
    return (
        nn.Conv2d(inputs, channels, size, stride, padding, bias=False),
        nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01),
    )


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.conv_bn = conv(3, 16, 3, 1)
        inputs = 16
        for stage, channels in enumerate([16, 32, 64]):
            for block in range(3):
                stride = 2 if stage > 0 and block == 0 else 1
                self.add_module(f'stage{stage + 1}_block{block + 1}', Block(inputs, channels, stride))
                inputs = channels
        self.logits = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.conv_bn(self.conv(x)))
        for stage in range(3):
            for block in range(3):
                x = getattr(self, f'stage{stage + 1}_block{block + 1}')(x)
        return self.logits(x.mean((2, 3)))


def read_model(folder):
    """The weights of a model.json, by name."""
    with open(os.path.join(folder, 'model.json')) as file:
        groups = json.load(file)['weightsManifest']
    found = {}
    for group in groups:
        data = b''.join(open(os.path.join(folder, path), 'rb').read() for path in group['paths'])
        offset = 0
        for spec in group['weights']:
            size = int(np.prod(spec['shape'])) if spec['shape'] else 1
            found[spec['name']] = np.frombuffer(data, np.float32, size, offset).reshape(spec['shape'])
            offset += 4 * size
    return found


def load(net, weights):
    taken = set()

    def take(name):
        taken.add(name)
        return torch.from_numpy(weights[name].copy())

    for name, module in net.named_modules():
        name = name.replace('.', '_')
        if isinstance(module, nn.Conv2d):
            module.weight.data = take(f'{name}/kernel').permute(3, 2, 0, 1).contiguous()
        elif isinstance(module, nn.BatchNorm2d):
            module.weight.data, module.bias.data = take(f'{name}/gamma'), take(f'{name}/beta')
            module.running_mean.data, module.running_var.data = take(f'{name}/moving_mean'), take(f'{name}/moving_variance')
        elif isinstance(module, nn.Linear):
            module.weight.data, module.bias.data = take(f'{name}/kernel').T.contiguous(), take(f'{name}/bias')
    left = set(weights) - taken
    assert not left, f'weights that are not the network\'s: {left}'


def read_cifar(folder, files):
    records = np.concatenate([np.fromfile(os.path.join(folder, file), np.uint8).reshape(-1, 3073) for file in files])
    images = records[:, 1:].reshape(-1, 3, 32, 32)
    return torch.from_numpy(images), torch.from_numpy(records[:, 0].astype(np.int64))


def normalized(images):
    mean, std = (torch.from_numpy(each).view(1, 3, 1, 1) for each in (MEAN, STD))
    return (images.float() / 255 - mean) / std


def augmented(images, generator):
    padded = F.pad(images.float(), (4, 4, 4, 4), mode='reflect')
    out = torch.empty_like(images, dtype=torch.float32)
    shifts = torch.randint(0, 9, (len(images), 2), generator=generator)
    flips = torch.rand(len(images), generator=generator) < 0.5
    for i, (dy, dx) in enumerate(shifts.tolist()):
        crop = padded[i, :, dy:dy + 32, dx:dx + 32]
        out[i] = crop.flip(2) if flips[i] else crop
    return out


@torch.no_grad()
def error_of(net, images, labels):
    net.eval()
    wrong = sum((net(normalized(images[i:i + 500])).argmax(1) != labels[i:i + 500]).sum().item() for i in range(0, len(labels), 500))
    return 100 * wrong / len(labels)


@torch.no_grad()
def logits_of(net, images):
    net.eval()
    return torch.cat([net(normalized(images[i:i + 500])) for i in range(0, len(images), 500)])


def multiplied(net):
    """Multiply-accumulates of convolutions and the dense layer alone, as sbp counts them."""
    total = 0

    def hook(module, _, output):
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += output.shape[2] * output.shape[3] * module.weight.numel()
        else:
            total += module.weight.numel()

    hooks = [m.register_forward_hook(hook) for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    net.eval()
    with torch.no_grad():
        net(torch.zeros(1, 3, 32, 32))
    for each in hooks:
        each.remove()
    return total


def prune(net, importance, scope, share, images, labels, steps):
    """In so many steps, until what sbp counts is at most the share, with gradients anew before each step: ranked over all layers, or as much of each layer."""
    whole = multiplied(net)
    kind = tp.importance.GroupMagnitudeImportance(p=2) if importance == 'group-norm' else tp.importance.GroupTaylorImportance()
    example = torch.zeros(1, 3, 32, 32)
    pruner = tp.pruner.BasePruner(
        net, example, importance=kind, global_pruning=scope == 'global', pruning_ratio=1.0, iterative_steps=steps,
        max_pruning_ratio=0.95, ignored_layers=[net.logits],
    )
    for _ in range(steps):
        if multiplied(net) <= share * whole:
            break
        if importance == 'taylor':
            net.eval()
            net.zero_grad()
            for i in range(0, 1024, 256):
                F.cross_entropy(net(normalized(images[i:i + 256])), labels[i:i + 256]).backward()
        pruner.step()
    net.zero_grad()
    return whole


def rate(step, total, top):
    warm = 0.05 * total
    if step < warm:
        return top * (step + 1) / (warm + 1)
    return top * (1 + math.cos(math.pi * (step - warm) / (total - warm))) / 2


def fine_tune(net, said, images, labels, args, report):
    # same numbers, faster convolutions
    net.to(memory_format=torch.channels_last)
    generator = torch.Generator().manual_seed(args.seed)
    optimizer = torch.optim.Adam(net.parameters(), lr=args.rate, betas=(0.9, 0.999), eps=1e-8)
    batches = math.ceil(len(labels) / args.batch_size)
    total = args.epochs * batches
    step = 0
    for epoch in range(args.epochs):
        began = time.time()
        net.train()
        order = torch.randperm(len(labels), generator=generator)
        for start in range(0, len(labels), args.batch_size):
            own = order[start:start + args.batch_size]
            x = normalized(augmented(images[own], generator)).contiguous(memory_format=torch.channels_last)
            for group in optimizer.param_groups:
                group['lr'] = rate(step, total, args.rate)
            out = net(x)
            hard = F.cross_entropy(out, labels[own])
            soft = 4 * F.kl_div(F.log_softmax(out / 2, 1), F.softmax(said[own] / 2, 1), reduction='batchmean')
            optimizer.zero_grad()
            (0.5 * hard + 0.5 * soft).backward()
            optimizer.step()
            step += 1
        report({'epoch': epoch + 1, 'of': args.epochs, 'seconds': round(time.time() - began, 1)})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('model')
    parser.add_argument('data')
    parser.add_argument('--importance', choices=['group-norm', 'taylor'], required=True)
    parser.add_argument('--scope', choices=['global', 'layer'], required=True)
    parser.add_argument('--share', type=float, required=True)
    parser.add_argument('--epochs', type=int, default=12)
    parser.add_argument('--rate', type=float, default=1e-3)
    parser.add_argument('--batch-size', type=int, default=128)
    parser.add_argument('--steps', type=int, default=100)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--examples', type=int, default=50000)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    report = lambda line: print(json.dumps(line), flush=True)
    images, labels = read_cifar(args.data, [f'data_batch_{i}.bin' for i in range(1, 6)])
    images, labels = images[:args.examples], labels[:args.examples]
    test_images, test_labels = read_cifar(args.data, ['test_batch.bin'])
    net = ResNet20()
    load(net, read_model(args.model))
    # of each image as it is, once, as sbp compress has it
    said = logits_of(net, images)
    before = error_of(net, test_images, test_labels)
    whole = prune(net, args.importance, args.scope, args.share, images, labels, args.steps)
    cut = error_of(net, test_images, test_labels)
    report({'before': before, 'cut': cut, 'macs': multiplied(net), 'of': whole})
    fine_tune(net, said, images, labels, args, report)
    after = error_of(net, test_images, test_labels)
    report({
        'done': True, 'importance': args.importance, 'scope': args.scope, 'share': args.share, 'before': before, 'cut': cut, 'after': after,
        'macs': multiplied(net), 'whole': whole, 'parameters': sum(p.numel() for p in net.parameters()),
        'versions': {'torch': torch.__version__, 'torch_pruning': tp.__version__},
    })


if __name__ == '__main__':
    main()
