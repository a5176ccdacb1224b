"""The visits: numba code that sees only arrays, scalars and counters, no chemistry.

One cycle visits every cell of the periodic ``n`` x ``n`` x ``n`` grid once on average. The grid is cut into blocks at
a random offset; blocks are coloured in eight colours so that two blocks of one colour never touch or share a
neighbour, and the colours take turns in a random order. Blocks of one colour may therefore run on any number of
threads and give the same history. Within a block, cells are drawn uniformly and with replacement.

Random numbers are counter-based: the k-th number of block b in cycle c of a realization is a hash (SplitMix64; Steele,
Lea & Flood, OOPSLA 2014, doi 10.1145/2660193.2660195) of (seed, c, b, k). Nothing is carried from block to block.

Codes: 0 is an empty cell, k + 1 the k-th phase. Amounts are moles of formula units. The plain-Python twin of this
file stands beside its tests.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit, prange

__all__ = [
    "EVENTS", "REFUSED", "SATURATED", "Blocks", "State", "Tables", "contacts", "count_cells", "inventory",
    "run_cycles", "run_cycles_parallel", "shuffle_cells",
]  # fmt: skip


class Blocks(NamedTuple):
    """The cuts of the grid into blocks.

    Attributes:
        size: Cells per edge, n.
        cuts: Shape (blocks per axis + 1,), positions of the cuts along an axis, from 0 to n.
        colours: Shape (colours, blocks of a colour), numbers of the blocks.
    """

    size: int
    cuts: np.ndarray
    colours: np.ndarray


class State(NamedTuple):
    """The arrays that the visits change.

    Attributes:
        phase: Shape (n^3,), uint8 codes.
        amount: Shape (n^3,), moles of formula units.
        ledger: Shape (blocks, codes): column 0 its fill in full cells, the others moles of each phase.
        gas: Shape (blocks, gases), moles released.
        extent: Shape (blocks, channels), moles of reaction.
        counters: Shape (blocks, 3): events, refused events, events offered at a probability above one.
    """

    phase: np.ndarray
    amount: np.ndarray
    ledger: np.ndarray
    gas: np.ndarray
    extent: np.ndarray
    counters: np.ndarray


class Tables(NamedTuple):
    """The arrays that the visits look up; scores and exchanges are those of the table of rates times a cycle's sweeps.

    Attributes:
        capacity: Full cells whose content a block's ledger may hold.
        max_speedup: Largest factor by which a poorly filled pair reacts faster than full cells.
        full: Shape (codes,), moles in a full cell; entry 0 is not used.
        max_probability: Shape (codes^2,), largest probability of any event of a pair of codes (visited, neighbour).
        full_cell_score: Shape (codes^2,), probability that full cells of a pair of codes react, by any channel.
        exchange: Shape (codes^2,), probability that the two change places.
        pair_start: Shape (codes^2 + 1,), first entry of each pair in ``pair_channel``.
        pair_channel: Channels of the pairs.
        single_start: Shape (codes + 1,), first entry of each code in ``single_channel``.
        single_channel: Channels of single phases.
        reactants: Shape (channels, 2), codes, 0 for none.
        reactant_coefficients: Shape (channels, 2), formula units per mole of reaction.
        products: Shape (channels, 2), codes, 0 for none; the bulkier product first.
        product_coefficients: Shape (channels, 2), formula units per mole of reaction.
        gas_coefficients: Shape (channels, gases), moles released per mole of reaction.
        full_cell_amount: Shape (channels, 2), what the reaction of full cells uses of each reactant, moles; a cell
            that holds less limits the extent, and the event is more probable in proportion.
        score: Shape (channels,), probability that full cells react by the channel at one visit.
    """

    capacity: float
    max_speedup: float
    full: np.ndarray
    max_probability: np.ndarray
    full_cell_score: np.ndarray
    exchange: np.ndarray
    pair_start: np.ndarray
    pair_channel: np.ndarray
    single_start: np.ndarray
    single_channel: np.ndarray
    reactants: np.ndarray
    reactant_coefficients: np.ndarray
    products: np.ndarray
    product_coefficients: np.ndarray
    gas_coefficients: np.ndarray
    full_cell_amount: np.ndarray
    score: np.ndarray


# Columns of the counters of a block.
EVENTS, REFUSED, SATURATED = 0, 1, 2

# A remainder below this share of a full cell is round-off of an exact stoichiometric match; the cell is empty.
ROUND_OFF = 1e-13
# A cell never takes in more than this many full cells of a second product.
MAXIMUM_FILL = 4.0

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S11, _S15, _S22, _S27, _S30, _S31, _S32, _S33, _S48 = (np.uint64(k) for k in (11, 15, 22, 27, 30, 31, 32, 33, 48))
_ONE, _TWO, _FOUR, _SIX = (np.uint64(k) for k in (1, 2, 4, 6))
_LOW11, _LOW15 = np.uint64(0x7FF), np.uint64(0x7FFF)
_FROM_COARSE = 1.0 / 65536.0
_TO_UNIT = 1.0 / 9007199254740992.0  # 2^-53


@njit(inline="always")
def _mix(z: Any) -> Any:
    z = (z ^ (z >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    return z ^ (z >> _S31)


@njit(inline="always")
def _stream(seed: Any, cycle: Any, block: Any) -> Any:
    """Return the first state and the increment of the random numbers of one block in one cycle."""
    key = _mix(seed + _GOLDEN * np.uint64(cycle + 1))
    key = _mix(key + _GOLDEN * np.uint64(block + 1))
    return key, _mix(key + _GOLDEN) | _ONE


@njit
def _neighbour(cell: Any, direction: Any, n: Any) -> Any:
    """Return the index of a cell's neighbour; directions 0 to 5 are +x, -x, +y, -y, +z, -z."""
    stride = n * n if direction < 2 else (n if direction < 4 else 1)
    at = cell // stride % n
    if direction % 2 == 0:
        return cell + stride if at + 1 < n else cell + stride - n * stride
    return cell - stride if at > 0 else cell - stride + n * stride


@njit
def _find_place(cell: Any, code: Any, moles: Any, n: Any, state: Any, full: Any) -> Any:
    """Return a neighbour that can take in a product: a cell of its phase, else an empty one, else -1."""
    free = -1
    for direction in range(6):
        other = _neighbour(cell, direction, n)
        if state.phase[other] == code:
            if state.amount[other] + moles <= MAXIMUM_FILL * full[code]:
                return other
        elif state.phase[other] == 0 and free < 0:
            free = other
    return free


@njit
def _store(block: Any, code: Any, moles: Any, ledger: Any, tables: Any) -> Any:
    """Put a product into the block's ledger; False where it has no room."""
    fill = moles / tables.full[code]
    if ledger[block, 0] + fill > tables.capacity:
        return False
    ledger[block, 0] += fill
    ledger[block, code] += moles
    return True


@njit
def _fetch(block: Any, cell: Any, code: Any, state: Any, full: Any) -> None:
    """Put all that the block's ledger holds of one phase into a cell."""
    ledger = state.ledger
    state.phase[cell] = code
    state.amount[cell] += ledger[block, code]
    ledger[block, code] = 0.0
    rest = 0.0
    for k in range(1, full.size):
        rest += ledger[block, k] / full[k]
    ledger[block, 0] = rest


@njit
def _from_ledger(block: Any, i: Any, j: Any, state: Any, full: Any) -> Any:
    """Move a phase from the ledger into cell i where that can take it; True where that was the event of the visit."""
    phase, amount, ledger = state.phase, state.amount, state.ledger
    p = phase[i]
    if p > 0 and ledger[block, p] > 0.0:
        if amount[i] + ledger[block, p] <= MAXIMUM_FILL * full[p]:
            _fetch(block, i, p, state, full)
            return True
        return False
    if p > 0:
        # Two cells of one phase, the first no more than half full: they join and make room.
        if phase[j] != p or amount[i] > 0.5 * full[p] or amount[i] + amount[j] > MAXIMUM_FILL * full[p]:
            return False
    code = 1
    for k in range(2, full.size):
        if ledger[block, k] * full[code] > ledger[block, code] * full[k]:
            code = k
    if p > 0:
        amount[j] += amount[i]
        amount[i] = 0.0
    _fetch(block, i, code, state, full)
    return True


@njit
def _convert_pair(block: Any, i: Any, j: Any, c: Any, xi: Any, n: Any, state: Any, tables: Any) -> Any:
    """Let cells i and j react by channel c to the extent xi; False where no cell can take the second product."""
    phase, amount, coefficients = state.phase, state.amount, tables.reactant_coefficients
    side = 0 if phase[i] == tables.reactants[c, 0] else 1
    used_i, used_j = coefficients[c, side], coefficients[c, 1 - side]
    if amount[i] * used_j <= amount[j] * used_i:
        spent, other, rest = i, j, amount[j] - used_j * xi
    else:
        spent, other, rest = j, i, amount[i] - used_i * xi
    gone = rest <= ROUND_OFF * tables.full[phase[other]]
    first, second = tables.products[c, 0], tables.products[c, 1]
    moles_1, moles_2 = tables.product_coefficients[c, 0] * xi, tables.product_coefficients[c, 1] * xi
    if second > 0 and not gone:
        place = _find_place(spent, second, moles_2, n, state, tables.full)
        if place >= 0:
            phase[place] = second
            amount[place] += moles_2
        else:
            place = _find_place(spent, first, moles_1, n, state, tables.full)
            if place >= 0:
                phase[place] = first
                amount[place] += moles_1
                first, moles_1 = second, moles_2
            elif not _store(block, second, moles_2, state.ledger, tables):
                return False
    phase[spent] = first
    amount[spent] = moles_1
    if gone:
        phase[other] = second
        amount[other] = moles_2
    else:
        amount[other] = rest
    return True


@njit
def _convert_one(block: Any, i: Any, j: Any, c: Any, xi: Any, state: Any, tables: Any) -> Any:
    """Let cell i (and j, where both hold the phase and there are two products) decompose by channel c."""
    phase, amount, full = state.phase, state.amount, tables.full
    first, second = tables.products[c, 0], tables.products[c, 1]
    moles_1, moles_2 = tables.product_coefficients[c, 0] * xi, tables.product_coefficients[c, 1] * xi
    if second > 0:
        if phase[j] == phase[i]:
            phase[j] = second
            amount[j] = moles_2
        elif phase[j] == second and amount[j] + moles_2 <= MAXIMUM_FILL * full[second]:
            amount[j] += moles_2
        elif phase[j] == first and amount[j] + moles_1 <= MAXIMUM_FILL * full[first]:
            amount[j] += moles_1
            first, moles_1 = second, moles_2
        elif phase[j] == 0:
            phase[j] = second
            amount[j] = moles_2
        elif not _store(block, second, moles_2, state.ledger, tables):
            return False
    phase[i] = first
    amount[i] = moles_1
    return True


@njit
def _book(block: Any, c: Any, xi: Any, done: Any, state: Any, tables: Any) -> None:
    """Count an event, its extent and the gas it released."""
    if not done:
        state.counters[block, REFUSED] += 1
        return
    state.counters[block, EVENTS] += 1
    state.extent[block, c] += xi
    for g in range(state.gas.shape[1]):
        state.gas[block, g] += tables.gas_coefficients[c, g] * xi


@njit
def _offer(block: Any, i: Any, j: Any, p: Any, q: Any, r: Any, n: Any, state: Any, tables: Any) -> None:
    """Choose between the events of cells i and j in proportion to their probabilities, and carry the chosen one out.

    The probability of a channel is its score times xi_0 / xi, which for a pair is the larger of the two cells'
    ``full_cell_amount`` / amount, and at most ``max_speedup``.
    """
    amount, score, coefficients = state.amount, tables.score, tables.reactant_coefficients
    full_cell_amount, max_speedup = tables.full_cell_amount, tables.max_speedup
    pair = p * tables.full.size + q
    if tables.max_probability[pair] > 1.0:
        state.counters[block, SATURATED] += 1
    total = 0.0
    per_i, per_j = 1.0 / amount[i], 1.0 / amount[j] if q > 0 else 0.0
    for k in range(tables.pair_start[pair], tables.pair_start[pair + 1]):
        c = tables.pair_channel[k]
        side = 0 if tables.reactants[c, 0] == p else 1
        faster = max(full_cell_amount[c, side] * per_i, full_cell_amount[c, 1 - side] * per_j)
        total += score[c] * min(faster, max_speedup)
        if r < total:
            xi = min(amount[i] / coefficients[c, side], amount[j] / coefficients[c, 1 - side])
            _book(block, c, xi, _convert_pair(block, i, j, c, xi, n, state, tables), state, tables)
            return
    for k in range(tables.single_start[p], tables.single_start[p + 1]):
        c = tables.single_channel[k]
        together = amount[i]
        if q == p and tables.products[c, 1] > 0:
            together += amount[j]
        total += score[c] * min(full_cell_amount[c, 0] / together, max_speedup)
        if r < total:
            xi = together / coefficients[c, 0]
            _book(block, c, xi, _convert_one(block, i, j, c, xi, state, tables), state, tables)
            return
    if r < total + tables.exchange[pair]:
        state.phase[i] = q
        state.phase[j] = p
        amount[i], amount[j] = amount[j], amount[i]


@njit
def _lines(low: Any, wide: Any, n: Any, stride: Any, at: Any, hop: Any, up: Any) -> None:
    """Fill in, along one axis of a block, each coordinate's part of the index and the steps to its two neighbours."""
    for k in range(wide):
        x = (low + k) % n
        at[k] = x * stride
        hop[up, k] = stride if x + 1 < n else stride - n * stride
        hop[up + 1, k] = -stride if x > 0 else n * stride - stride


@njit
def _visit_block(block: Any, shift: Any, seed: Any, cycle: Any, blocks: Any, state: Any, tables: Any) -> None:
    """Visit the cells of a block, once each on average.

    A visit takes one 64-bit number: 11 bits for each coordinate within the block (their bias, at most one count in
    2048, goes round with the random shift of the cuts), 15 for the direction, and the first 16 of the number r that
    decides; the rest of r is drawn only where those leave it open.
    """
    n, cuts = blocks.size, blocks.cuts
    phase, amount, ledger = state.phase, state.amount, state.ledger
    full, max_probability = tables.full, tables.max_probability
    full_cell_score, exchange = tables.full_cell_score, tables.exchange
    per_axis = cuts.size - 1
    bz = block % per_axis
    by = (block // per_axis) % per_axis
    bx = block // (per_axis * per_axis)
    wide_x, wide_y, wide_z = cuts[bx + 1] - cuts[bx], cuts[by + 1] - cuts[by], cuts[bz + 1] - cuts[bz]
    widest = max(wide_x, wide_y, wide_z)
    at_x, at_y, at_z = np.empty(widest, np.int64), np.empty(widest, np.int64), np.empty(widest, np.int64)
    hop = np.empty((6, widest), dtype=np.int64)
    _lines(cuts[bx] + shift[0], wide_x, n, n * n, at_x, hop, 0)
    _lines(cuts[by] + shift[1], wide_y, n, n, at_y, hop, 2)
    _lines(cuts[bz] + shift[2], wide_z, n, 1, at_z, hop, 4)
    # Touch the block row by row: the processor fetches a row ahead, but could not foresee the visits.
    seen = 0.0
    for a in range(wide_x):
        for b in range(wide_y):
            for c in range(0, wide_z, 8):
                cell = at_x[a] + at_y[b] + at_z[c]
                seen += amount[cell] + phase[cell]
    if seen < 0.0:  # never; but the compiler must not leave the loop out
        return
    counter, step = _stream(seed, cycle, block)
    # Unsigned throughout: signed indices would be checked for wrap-around at every look-up.
    width = np.uint64(full.size)
    vx, vy, vz = np.uint64(wide_x), np.uint64(wide_y), np.uint64(wide_z)
    waiting = ledger[block, 0] > 0.0
    for _ in range(wide_x * wide_y * wide_z):
        counter += step
        bits = _mix(counter)
        x = ((bits & _LOW11) * vx) >> _S11
        y = (((bits >> _S11) & _LOW11) * vy) >> _S11
        z = (((bits >> _S22) & _LOW11) * vz) >> _S11
        direction = (((bits >> _S33) & _LOW15) * _SIX) >> _S15
        coarse = np.float64(bits >> _S48)
        along = x if direction < _TWO else (y if direction < _FOUR else z)
        i = np.uint64(at_x[x] + at_y[y] + at_z[z])
        j = np.uint64(np.int64(i) + hop[direction, along])
        p = np.uint64(phase[i])
        q = np.uint64(phase[j])
        if waiting and _from_ledger(block, np.int64(i), np.int64(j), state, full):
            waiting = ledger[block, 0] > 0.0
            continue
        pair = p * width + q
        if coarse < max_probability[pair] * 65536.0:
            counter += step
            r = (coarse + np.float64(_mix(counter) >> _S11) * _TO_UNIT) * _FROM_COARSE
            # No event is faster than the emptier of the two cells allows, full_cell_score full / amount; most offers
            # end here, before any channel is looked at.
            excess = r - exchange[pair]
            if r < max_probability[pair] and (
                excess * amount[i] < full_cell_score[pair] * full[p]
                or excess * amount[j] < full_cell_score[pair] * full[q]
            ):
                _offer(block, np.int64(i), np.int64(j), np.int64(p), np.int64(q), r, n, state, tables)
                waiting = ledger[block, 0] > 0.0


@njit
def _begin_cycle(seed: Any, cycle: Any, n: Any, order: Any) -> Any:
    """Put the colours in a random order, in place; returns the random shift of the cuts along x, y and z."""
    # A stream number beyond those of the blocks serves the cycle as a whole.
    counter, step = _stream(seed, cycle, np.int64(1) << 40)
    for k in range(order.size):
        counter += step
        swap = np.int64(((_mix(counter) >> _S48) * np.uint64(k + 1)) >> np.uint64(16))
        order[k] = order[swap]
        order[swap] = k
    shift = np.empty(3, dtype=np.int64)
    for k in range(3):
        counter += step
        shift[k] = ((_mix(counter) >> _S32) * np.uint64(n)) >> _S32
    return shift


@njit(nogil=True, cache=True)
def run_cycles(cycles: Any, first_cycle: Any, seed: Any, blocks: Any, state: Any, tables: Any) -> None:
    """Run cycles of visits on a grid, in place, on one thread.

    ``first_cycle``, the number of cycles run before, is part of the random counter, as is the uint64 ``seed`` of the
    realization.
    """
    order = np.empty(blocks.colours.shape[0], dtype=np.int64)
    for cycle in range(first_cycle, first_cycle + cycles):
        shift = _begin_cycle(seed, cycle, blocks.size, order)
        for k in range(order.size):
            for m in range(blocks.colours.shape[1]):
                _visit_block(blocks.colours[order[k], m], shift, seed, cycle, blocks, state, tables)


@njit(nogil=True, cache=True, parallel=True)
def run_cycles_parallel(cycles: Any, first_cycle: Any, seed: Any, blocks: Any, state: Any, tables: Any) -> None:
    """Run cycles of visits with the same result as ``run_cycles``, on all threads of numba."""
    order = np.empty(blocks.colours.shape[0], dtype=np.int64)
    for cycle in range(first_cycle, first_cycle + cycles):
        shift = _begin_cycle(seed, cycle, blocks.size, order)
        for k in range(order.size):
            for m in prange(blocks.colours.shape[1]):
                _visit_block(blocks.colours[order[k], m], shift, seed, cycle, blocks, state, tables)


@njit(nogil=True, cache=True)
def inventory(phase: Any, amount: Any, ledger: Any) -> Any:
    """Return the moles of every phase on the grid and in the ledger, shape (codes,) each; entry 0 is not used."""
    grid = np.zeros(ledger.shape[1])
    # Compensated sums (Kahan): plain ones would drift by more than the model does on a grid of 10^9 cells.
    lost = np.zeros(ledger.shape[1])
    for cell in range(phase.size):
        code = phase[cell]
        part = amount[cell] - lost[code]
        total = grid[code] + part
        lost[code] = (total - grid[code]) - part
        grid[code] = total
    stored = np.zeros(ledger.shape[1])
    for block in range(ledger.shape[0]):
        for code in range(1, ledger.shape[1]):
            stored[code] += ledger[block, code]
    return grid, stored


@njit(nogil=True, cache=True)
def count_cells(phase: Any, width: Any) -> Any:
    """Count the cells of each code, shape (codes,)."""
    found = np.zeros(width, dtype=np.int64)
    for cell in range(phase.size):
        found[phase[cell]] += 1
    return found


@njit(nogil=True, cache=True)
def shuffle_cells(phase: Any, amount: Any, seed: Any) -> None:
    """Put the cells with what they hold in a random order, in place (Fisher and Yates): memory stays as it is."""
    counter, step = _stream(seed, 0, 0)
    for k in range(phase.size - 1, 0, -1):
        counter += step
        # The 53 upper bits leave a bias below 1e-6 even on the largest grids.
        other = np.int64(np.float64(_mix(counter) >> _S11) * _TO_UNIT * (k + 1))
        held, moles = phase[k], amount[k]
        phase[k], amount[k] = phase[other], amount[other]
        phase[other], amount[other] = held, moles


@njit(nogil=True, cache=True)
def contacts(phase: Any, n: Any, width: Any) -> Any:
    """Count the contacts of each code with each, shape (codes, codes), every contact from both sides."""
    found = np.zeros((width, width), dtype=np.int64)
    for cell in range(phase.size):
        for direction in (0, 2, 4):
            p, q = phase[cell], phase[_neighbour(cell, direction, n)]
            found[p, q] += 1
            found[q, p] += 1
    return found
