#!/usr/bin/env python3
"""PyTorch's times for what tests/cuda/bench_device.c measures, on the same card. SKIPPED without PyTorch or a GPU."""

import sys
import time

try:
    import torch
except ImportError:
    print("SKIPPED: no PyTorch here")
    sys.exit(0)
if not torch.cuda.is_available():
    print("SKIPPED: PyTorch finds no GPU")
    sys.exit(0)

torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
SECONDS = 1.0
BATCH = 256


def timed(step):
    for _ in range(3):
        step()
    torch.cuda.synchronize()
    begun, count = time.perf_counter(), 0
    while time.perf_counter() - begun < SECONDS:
        step()
        torch.cuda.synchronize()
        count += 1
    return (time.perf_counter() - begun) / count


def sizes(dtype):
    print(f"PyTorch {torch.__version__}: forward and backward, linear-relu-linear-mse, batch {BATCH}")
    for width in (7, 22, 70, 223, 707, 2236, 7071):
        model = torch.nn.Sequential(torch.nn.Linear(width, width), torch.nn.ReLU(), torch.nn.Linear(width, width))
        model = model.to("cuda", dtype)
        x, y = (torch.rand(BATCH, width, dtype=dtype, device="cuda") for _ in range(2))

        def step():
            model.zero_grad(set_to_none=True)
            torch.nn.functional.mse_loss(model(x), y).backward()

        seconds = timed(step)
        flops = 2 * BATCH * width * width * 5
        parameters = sum(p.numel() for p in model.parameters())
        print(f"{parameters:10d} {str(dtype)[6:]:>8} {1e3 * seconds:12.4f} ms {flops / seconds / 1e9:10.1f} Gflop/s")


def many(dtype):
    """The same small networks with torch.func: vmap over the networks. Transfers included."""
    print("PyTorch: many networks 2-3-1 at once, batch 4, transfers included")
    x, y = torch.rand(4, 2, dtype=dtype, device="cuda"), torch.rand(4, 1, dtype=dtype, device="cuda")

    def loss(w1, b1, w2, b2):
        return ((torch.tanh(x @ w1 + b1) @ w2 + b2 - y) ** 2).mean()

    gradients = torch.func.vmap(torch.func.grad_and_value(loss, argnums=(0, 1, 2, 3)))
    for exponent in range(7):
        count = 10**exponent
        host = [torch.rand(count, *shape, dtype=torch.float64) for shape in ((2, 3), (3,), (3, 1), (1,))]

        def step():
            device = [t.to("cuda", dtype) for t in host]
            got, _ = gradients(*device)
            worst = [(g - d).abs().flatten(1).amax(1) for g, d in zip(got, device)]
            return torch.stack(worst).amax(0).cpu()

        print(f"{count:10d} {str(dtype)[6:]:>8} {count / timed(step):14.0f} passes/s")


for arithmetic in (torch.float64, torch.float32):
    sizes(arithmetic)
    many(arithmetic)
