"""A ReckOn-class core under its synchronous driver: one stimulus line after another, each as soon as the core is ready.

Times are cycles; the core is idle in cycle 0.  A request is acknowledged 3 cycles later and over 7 later; a tick moves
the controller 3 cycles later; the last tick's result is requested 2 cycles after SDONE.
"""

from numba import njit

from simulator.kernels.reckon import best_output, propagate, step

START, SPIKE, TICK, LAST, VALID, INFER, LABEL, DUMP, GAP = range(9)
"""Kinds of stimulus lines: S, E, T, X, V, I, L, D, G."""

LOWERED = 4
"""Cycles between a lowered SAMPLE and the last tick."""
ACKNOWLEDGED, RETURNED = 3, 7
"""Cycles from a request to its acknowledge, and to the end of the handshake."""
SYNCHRONISED = 3
"""Cycles from a tick to the controller's move: two flip-flops, an edge detector."""
RESULT, IDLE, SETTLED = 2, 6, 15
"""Cycles from SDONE of a sample's last tick to the result's request, to the idle state, and to the next line."""


@njit(cache=True)
def drive(
    kind, value, due, given, waits, u, dirty, z, inp, nxt, out, wins, thr, alpha, winp, wrec, wout, cfg, counts,
    states,     events, ticks, fired, potentials, results, dumps, membranes, marks,
):  # fmt: skip
    """Runs a stimulus from an idle core.  Returns the cycle after the last line.

    kind uint8 [n], value int64 [n]: stimulus lines; every tick lies in a sample (the caller checks).
    due int64 [n]: the cycle before which a line does not begin.
    given uint8 [ticks, 256]: spikes that STEP makes in place of its own, row by tick; [0, 256]: it makes its own.
    waits int64 [4]: cycles before the first line, after S, after V or I; 1 where L sends its label like an input.
    u int64 [256], dirty, z uint8 [256]: membranes, written, fired.  inp, nxt uint8 [256]: inputs of this and of the
    next timestep.  out int64 [16]: output potentials.  wins int64 [16]: timesteps an output was the largest.
    thr, alpha int64 [128]; winp, wrec int8 [256, 256]; wout int8 [256, 16]; cfg, counts: as in `step`, `propagate`.
    states int64 [5]: cycles in IDLE, PROP, STEP, SDONE, SEND, added to.
    events int64 [., 5]: address, 1 for a target, request, acknowledge, end.
    ticks int64 [., 10]: tick, 1 for a last tick, start of STEP, SDONE, PROP, end of scan, ready, inputs, spikes,
    cycles of passes; 0 where a tick has no such phase.
    fired uint8 [ticks, 256], potentials int64 [ticks, 16]: spikes and outputs after STEP.
    results int64 [., 2]: label and cycle of its request.
    dumps int64 [.]: the tick of each dump; membranes int64 [., 256], marks uint8 [., 256]: its membranes and `dirty`.
    The rows of each log are filled from 0 on; the caller counts the lines of each kind.
    """
    now = waits[0]
    since = 0
    sampling = infer = False
    event = tick = result = dump = 0
    for line in range(len(kind)):
        what = kind[line]
        now = max(now, due[line])
        if what == START:
            now += waits[1]
        elif what == SPIKE or (what == LABEL and waits[3]):
            row = events[event]
            row[0], row[1] = value[line], what == LABEL
            row[2], row[3], row[4] = now, now + ACKNOWLEDGED, now + RETURNED
            if what == SPIKE:
                nxt[value[line]] = 1
            now += RETURNED + 1
            event += 1
        elif what == TICK or what == LAST:
            if what == LAST:
                now += LOWERED
            row = ticks[tick]
            row[0], row[1] = now, what == LAST
            inp[:] = nxt
            nxt[:] = 0
            moved = now + SYNCHRONISED
            if sampling:
                states[1] += moved - since
                cycles = step(u, dirty, z, out, thr, alpha, cfg, counts)
                row[2], row[3] = moved, moved + cycles
                states[2] += cycles
                states[3] += 1
                moved += cycles + 1
                if len(given):
                    z[:] = given[tick]
                fired[tick] = z
                potentials[tick] = out
                row[8] = z.sum()
                if infer:
                    winner = best_output(out, cfg[2])
                    wins[winner] = (wins[winner] + 1) & 65535
            else:
                states[0] += moved - since
                sampling = True
            if what == LAST:
                done = row[3]
                row[6] = done + SETTLED
                results[result, 0] = best_output(wins, cfg[2])
                results[result, 1] = done + RESULT
                result += 1
                states[4] += done + IDLE - moved
                since = done + IDLE
                sampling = False
                u[:] = 0
                dirty[:] = 0
                z[:] = 0
                inp[:] = 0
                out[:] = 0
                wins[:] = 0
            else:
                row[4] = since = moved
                row[7] = inp.sum()
                before = counts[5]
                cycles = propagate(u, dirty, z, inp, out, winp, wrec, wout, cfg, counts)
                row[5] = row[6] = moved + cycles
                row[9] = 2 * ((cfg[1] + 1) // 2) * (counts[5] - before)
            now = row[6] + 1
            tick += 1
        elif what == INFER:
            infer = value[line] != 0
            now += waits[2]
        elif what == VALID:
            now += waits[2]
        elif what == DUMP:
            dumps[dump] = tick - 1
            membranes[dump] = u
            marks[dump] = dirty
            dump += 1
        elif what == GAP:
            now += value[line]
    states[1 if sampling else 0] += now - since
    return now
