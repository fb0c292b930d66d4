"""Interleaves what is compared, so that a noisy minute falls on all of it."""

import statistics


def interleave(names, rounds, measure, note=print):
    """Calls `measure(name)` once for each name in each round, every round beginning with another name."""
    results = {name: [] for name in names}
    for number in range(rounds):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            result = measure(name)
            results[name].append(result)
            note(f"  round {number + 1}/{rounds} {name}: {brief(result)}")
    return results


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
    return sorted(ratios(results, base, key))[len(results) // 2]
