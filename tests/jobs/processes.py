# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pools, queues, semaphores and shared memory of multiprocessing, with each way to start a process."""
import multiprocessing
from multiprocessing import shared_memory


def square(x):
    return x * x


def answer(queue, semaphore, name):
    block = shared_memory.SharedMemory(name)
    block.buf[0] = 7
    block.close()
    with semaphore:
        queue.put(42)


def run(method):
    context = multiprocessing.get_context(method)
    with context.Pool(4) as pool:
        total = sum(pool.map(square, range(100)))
    block = shared_memory.SharedMemory(create=True, size=1 << 20)
    queue, semaphore = context.Queue(), context.Semaphore(1)
    process = context.Process(target=answer, args=(queue, semaphore, block.name))
    process.start()
    got = queue.get(timeout=30)
    process.join()
    print(method, total, got, block.buf[0], flush=True)
    block.close()
    block.unlink()


if __name__ == "__main__":
    for name in ("fork", "spawn", "forkserver"):
        run(name)
