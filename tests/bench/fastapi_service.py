"""A peer of the benchmark: the same PyTorch service as torch_service.py's, served by FastAPI in two uvicorn workers.

The check runs in the event loop, PyTorch on one thread a worker: both are faster here than what FastAPI and PyTorch do
when they are not told.

    /usr/bin/python3 tests/bench/fastapi_service.py    (lines of output: its free port, and one from each ready worker)
"""

import socket

import fastapi
import fastapi.responses
import torch
import uvicorn
import uvicorn.supervisors

import torch_service

WORKERS = 2

app = fastapi.FastAPI()


@app.on_event("startup")
async def tell_that_it_is_ready():
    torch.set_num_threads(1)
    print("ready", flush=True)


@app.post("/v1/check")
async def check(request: fastapi.Request):
    return fastapi.responses.JSONResponse(torch_service.check(await request.json()))


def main():
    config = uvicorn.Config("fastapi_service:app", workers=WORKERS, log_level="error", access_log=False)
    listener = socket.create_server(("127.0.0.1", 0), backlog=config.backlog)
    print(listener.getsockname()[1], flush=True)
    uvicorn.supervisors.Multiprocess(config, target=uvicorn.Server(config).run, sockets=[listener]).run()


if __name__ == "__main__":
    main()
