"""Interleaves what is compared, so that a noisy minute falls on all of it."""

import statistics

# Where the host took more of all cores' time than this, in percent, a measurement tells of the host: it is taken again.
DISTURBED, TRIES = 5.0, 3


def interleave(names, rounds, measure, note=print, beside=None):
    """Calls `measure(name)` once for each name in each round, every round beginning with another name.

    `beside`: the one that the others are compared to. It is measured right before and right after each of them, since these machines
    change their pace within seconds; ``times_beside`` tells how they compare.

    A measurement that the host disturbed is taken again, up to twice; the least disturbed one counts, whatever it tells.
    """
    results, stolen = {name: [] for name in names}, []
    others = [name for name in names if name != beside]

    def take(name, number):
        tries = []
        while len(tries) < TRIES and all(each["stolen_percent"] > DISTURBED for each in tries):
            tries.append(watched(measure, name))
        stolen.extend(each["stolen_percent"] for each in tries)
        result = min(tries, key=lambda each: each["stolen_percent"])
        if beside:
            result["beside"] = []
        results[name].append(result)
        note(f"  round {number + 1}/{rounds} {name}: {brief(result)}")
        return result

    before = take(beside, 0) if beside else None
    for number in range(rounds):
        shift = number % len(others)
        for name in others[shift:] + others[:shift]:
            result = take(name, number)
            if beside:
                after = take(beside, number)
                result["beside"] = [before, after]
                before = after
    note(f"  the host took {middle(stolen):.1f} % of the cores' time ({min(stolen):.1f}-{max(stolen):.1f} in {len(stolen)} measurements)")
    return results


def watched(measure, name):
    before = processor_time()
    result = measure(name)
    return {**result, "stolen_percent": stolen_percent(before, processor_time())}


def processor_time():
    """Ticks of all cores since the start, and how many of them the host gave to others while there was work here (proc_stat(5))."""
    with open("/proc/stat") as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]
    return sum(ticks), ticks[7]


def stolen_percent(before, after):
    passed, stolen = (end - start for start, end in zip(before, after))
    return 100 * stolen / max(1, passed)


def brief(result):
    return ", ".join(f"{key} {value:.2f}" if isinstance(value, float) else f"{key} {value}"
                     for key, value in result.items() if not isinstance(value, (dict, list)))


def median(results, key):
    return statistics.median(result[key] for result in results)


def spread(results, key):
    values = [result[key] for result in results]
    return min(values), max(values)


def ratios(results, base, key):
    """Per round: what it took ÷ what `base` took in the same round."""
    return [one[key] / other[key] for one, other in zip(results, base)]


def median_ratio(results, base, key):
    """The median of them; of an even number the higher one."""
    return middle(ratios(results, base, key))


def times_beside(results, key):
    """What each took ÷ the mean of what it was compared to took right before and after it. What the others are compared to is 1."""
    return [one[key] / statistics.mean(near[key] for near in one["beside"]) if one["beside"] else 1.0 for one in results]


def middle(values):
    """The median; of an even number the higher one."""
    return sorted(values)[len(values) // 2]


def columns(values, width=8):
    """The median and the extremes as two columns of a table."""
    return f"{middle(values):{width}.2f} {f'{min(values):.2f}-{max(values):.2f}':>12}"
