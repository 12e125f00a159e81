#!/usr/bin/env python3
"""PyTorch's times for what tests/cuda/bench_device.c measures, on the same card, and how they compare with those that it
printed: bench_torch.py [FILE]. Exit status 77, and SKIPPED, without PyTorch or a GPU; --cpu does a little of it on the CPU,
to see that it runs.

The same work: network, batch, arithmetic, gradients (of the parameters, not of the input), and one number that the host
waits for after each pass (there an element of a gradient and the loss, here the loss)."""

import re
import sys
import time

SKIPPED = 77
BATCH = 256
WIDTHS = (7, 22, 70, 223, 707, 2236, 7071)

try:
    import torch
except ImportError:
    print("SKIPPED: no PyTorch here")
    sys.exit(SKIPPED)
try:
    from torch.func import grad_and_value, vmap
except ImportError:  # before 2.0
    try:
        from functorch import grad_and_value, vmap
    except ImportError:
        vmap = None

ON_CPU = "--cpu" in sys.argv[1:]
if not ON_CPU and not torch.cuda.is_available():
    print("SKIPPED: PyTorch finds no GPU")
    sys.exit(SKIPPED)
DEVICE = "cpu" if ON_CPU else "cuda"
SECONDS = 0.05 if ON_CPU else 1.0

# float32 is float32 here, too: no TF32.
torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False


def wait():
    if not ON_CPU:
        torch.cuda.synchronize()


def timed(step):
    """Seconds of one step: three to warm up, then as many as go into SECONDS. Every step ends when the device is done."""
    for _ in range(3):
        step()
    wait()
    begun, count = time.perf_counter(), 0
    while count == 0 or time.perf_counter() - begun < SECONDS:
        step()
        wait()
        count += 1
    return (time.perf_counter() - begun) / count


def read_ours(path):
    """bench_device's numbers: milliseconds by (parameters, type), transfers likewise, and passes/s by (networks, type)."""
    passes, transfers, many = {}, {}, {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            words = line.split()
            if len(words) < 3 or not re.fullmatch(r"\d+", words[0]) or words[1] not in ("float64", "float32"):
                continue
            key = int(words[0]), words[1]
            if len(words) == 3:
                many[key] = float(words[2])
            else:
                passes[key], transfers[key] = float(words[2]), float(words[3])
    return passes, transfers, many


def times_as_fast(theirs, ours):
    """How often as fast ours is, of two durations."""
    return f"{theirs / ours:8.2f}" if ours else " " * 7 + "-"


def sizes(dtype, ours, transfers):
    print(f"PyTorch {torch.__version__} on {DEVICE}: forward and backward, linear-relu-linear-mse, batch {BATCH}\n"
          f"{'parameters':>10} {'type':>8} {'PyTorch ms':>12} {'transfer ms':>12} {'Gflop/s':>10} {'ours is':>8} {'transfer':>8} "
          "times as fast")
    name = str(dtype)[6:]
    for width in WIDTHS[:3] if ON_CPU else WIDTHS:
        model = torch.nn.Sequential(torch.nn.Linear(width, width), torch.nn.ReLU(), torch.nn.Linear(width, width))
        host = [torch.rand(BATCH, width, dtype=torch.float64) for _ in range(2)]
        host += [p.detach().to(torch.float64) for p in model.parameters()]
        model = model.to(DEVICE, dtype)
        x, y = (t.to(DEVICE, dtype) for t in host[:2])

        def step():
            model.zero_grad(set_to_none=True)
            loss = torch.nn.functional.mse_loss(model(x), y)
            loss.backward()
            return loss.item()

        wait()
        begun = time.perf_counter()
        there = [t.to(DEVICE, dtype) for t in host]
        wait()
        transfer = time.perf_counter() - begun
        del there
        seconds = timed(step)
        flops = 2 * BATCH * width * width * 5
        parameters = sum(p.numel() for p in model.parameters())
        key = parameters, name
        print(f"{parameters:10d} {name:>8} {1e3 * seconds:12.4f} {1e3 * transfer:12.3f} {flops / seconds / 1e9:10.1f} "
              f"{times_as_fast(1e3 * seconds, ours.get(key))} {times_as_fast(1e3 * transfer, transfers.get(key))}", flush=True)


def many(dtype, ours):
    """The same small networks with vmap over the networks: losses, and the largest difference to submitted gradients and
    where it is, from host memory to host memory."""
    if vmap is None:
        print("SKIPPED: many networks at once, this PyTorch has no vmap")
        return
    name = str(dtype)[6:]
    print(f"PyTorch: many networks 2-3-1 at once, batch 4, forward, backward and comparison, transfers included\n"
          f"{'networks':>10} {'type':>8} {'passes/s':>14} {'ours is':>8} times as fast")
    x, y = torch.rand(4, 2, dtype=torch.float64), torch.rand(4, 1, dtype=torch.float64)

    def loss(parameters, data, target):
        # W1 [2, 3], b1 [3], W2 [3, 1], b2 [1], one behind the other
        w1, b1, w2, b2 = parameters[:6].view(2, 3), parameters[6:9], parameters[9:12].view(3, 1), parameters[12:]
        return ((torch.tanh(data @ w1 + b1) @ w2 + b2 - target) ** 2).mean()

    gradients = vmap(grad_and_value(loss), in_dims=(0, None, None))
    for exponent in range(4 if ON_CPU else 7):
        count = 10**exponent
        sets, submitted = (2 * torch.rand(count, 13, dtype=torch.float64) - 1 for _ in range(2))

        def step():
            there = [t.to(DEVICE, dtype) for t in (sets, submitted, x, y)]
            got, losses = gradients(there[0], there[2], there[3])
            largest, worst = (got - there[1]).abs().max(1)
            return losses.cpu(), largest.cpu(), worst.cpu()

        rate = count / timed(step)
        mine = ours.get((count, name))
        print(f"{count:10d} {name:>8} {rate:14.0f} {times_as_fast(mine, rate) if mine else ' ' * 7 + '-'}", flush=True)


def main():
    files = [word for word in sys.argv[1:] if not word.startswith("--")]
    passes, transfers, rates = read_ours(files[0]) if files else ({}, {}, {})
    for arithmetic in (torch.float64, torch.float32):
        sizes(arithmetic, passes, transfers)
        many(arithmetic, rates)


main()
