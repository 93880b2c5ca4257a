"""What a computing run on tiles makes: the neurons of its layers, synapse by synapse, timestep by timestep."""

from __future__ import annotations

from simulator.engine.board import Job
from simulator.engine.context import Context
from simulator.engine.plain_tile import PlainTile


def walk(ctx: Context, jobs: list[Job]) -> None:
    """Sends every spike of the jobs' timesteps through its synapses, updates the neurons and publishes their spikes.

    All layers of a timestep are done before the next one, as delays in a loop ask for.  Counts delivered operations.
    """
    work = ctx.work
    tiles = [(job, PlainTile(ctx, job, work.tile(job.row))) for job in jobs]
    for t in range(jobs[0].t0, jobs[0].t1):
        for job, plain in tiles:
            if t < plain.tile.population.neuron.first_step:
                continue
            for feed in work.feeds(job.row, job.sample, t):
                for i in range(feed.index.size):
                    value = 1 if feed.value is None else int(feed.value[i])
                    for place, targets in plain.targets(feed.projection, int(feed.index[i])):
                        plain.add(feed.projection, place, targets, value)
                        work.delivered += len(targets) * abs(value)
            index, value_made = plain.update(t)
            work.publish(job.row, job.sample, t, index, value_made)
