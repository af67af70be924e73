"""Fleets for the recorded traces against simpy, over systems, levels and wait limits: the share of requests that starts in time.

    python benchmarks/bench_replay.py

The plan replays a trace on one queue for all replicas. simpy does so too, and once more with a queue at each replica, to the least
busy of which a request is sent. Exit status 1 where the first differs by more than 1 % of the requests, the second by more than 2 %,
a token is lost, or a plan takes longer than a second.
"""

import sys
import time

import numpy as np
import simpy

import tokcost as tc

TRACES = ("azure_2023_conv", "azure_2023_code", "mooncake_conversation")
LEVELS, WAIT_LIMITS_S, ALLOWED, SLOWEST_S = (0.9, 0.99, 0.999), (0.0, 1.0, 10.0), (0.01, 0.02), 1.0


def replica(accelerator: str, tok_per_s_per_user: float):
    """A measured run of the eight-to-one mix, and the rule that both mixes give at that speed."""
    curves = [tc.frontier(tc.serving.pool(model="dsr1", isl=isl, osl=1024, accelerator=accelerator).rows) for isl in (1024, 8192)]
    read = [curve.at(tok_per_s_per_user=tok_per_s_per_user) for curve in curves]
    rule = tc.serving.workload_weights(isl=(1024, 8192), osl=(1024, 1024), total_tok_per_s_per_gpu=read)
    return tc.load.operating_point(curves[1], tok_per_s_per_user=tok_per_s_per_user), rule


def simulated(trace, held_s: np.ndarray, queues: list[int], wait_limit_s: float) -> tuple[float, float]:
    """The share that starts in time and the tokens that were finished, by simpy; `queues`: the places behind each."""
    environment, in_time, tokens = simpy.Environment(), [], []
    pools = [simpy.Resource(environment, capacity=places) for places in queues]

    def request(at, service, tok):
        yield environment.timeout(at)
        with min(pools, key=lambda each: each.count + len(each.queue)).request() as place:
            yield place
            in_time.append(environment.now - at <= wait_limit_s + 1e-9)
            yield environment.timeout(service)
        tokens.append(tok)

    rows = trace.requests
    for row in zip(rows["arrival_s"], held_s, rows["prompt_tok"] + rows["output_tok"], strict=True):
        environment.process(request(*row))
    environment.run()
    return float(np.mean(in_time)), float(sum(tokens))


def main() -> int:
    failed = 0
    for accelerator, speed in (("h200", 70.0), ("h200", 40.0), ("mi355x", 40.0)):
        point, rule = replica(accelerator, speed)
        for name in TRACES:
            trace = tc.load.recorded_trace(name)
            held, worst, longest = tc.load.service_times_s(trace, point, rule), [0.0, 0.0], 0.0
            for level in LEVELS:
                for wait in WAIT_LIMITS_S:
                    start = time.perf_counter()
                    found = tc.load.plan_trace(trace, point, rule, rate_usd_per_gpu_h=2.0, service_level_frac=level, wait_limit_s=wait)
                    longest = max(longest, time.perf_counter() - start)
                    failed += found.in_time_frac < level
                    each = round(point.concurrency)
                    for i, queues in enumerate(([found.n_replicas * each], [each] * found.n_replicas)):
                        in_time, tokens = simulated(trace, held, queues, wait)
                        worst[i] = max(worst[i], abs(in_time - found.in_time_frac))
                        failed += abs(tokens / found.delivered_total_tok - 1) > 1e-9
            failed += worst[0] > ALLOWED[0] or worst[1] > ALLOWED[1] or longest > SLOWEST_S
            said = f"off by {worst[0]:.2%} of the requests at most, with a queue at each replica {worst[1]:.2%}"
            print(f"{accelerator} {speed:g} tok/s/user  {name}: {said}, a plan in {longest:.2f} s")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
