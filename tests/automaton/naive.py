"""The slow twin of the kernel: the same visits in plain Python, to be matched bit for bit on small grids.

Written from the rules, with Python integers cut to 64 bits in place of uint64 and lists of places in place of index
arithmetic; nothing is imported from the kernel but the named tuples it is given. Floating-point operations are in the
kernel's order, because equal histories means equal to the last bit.
"""

import math

import numpy as np

WORD = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
EMPTY = 0
MOST_IN_A_CELL = 4.0
ROUND_OFF = 1e-13
WAYS = ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))
CYCLE_STREAM = 1 << 40


class SplitMix64:
    """The generator of Steele, Lea and Flood (OOPSLA 2014), with a stream of its own for every cycle and block."""

    def __init__(self, seed, cycle, block):
        key = self.mix(seed + GOLDEN * (cycle + 1))
        key = self.mix(key + GOLDEN * (block + 1))
        self.state = key
        self.step = self.mix(key + GOLDEN) | 1

    @staticmethod
    def mix(z):
        z &= WORD
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & WORD
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & WORD
        return z ^ (z >> 31)

    def next(self):
        self.state = (self.state + self.step) & WORD
        return self.mix(self.state)


class Grid:
    """The state of a run, with cells addressed by their place (x, y, z)."""

    def __init__(self, size, state, tables):
        self.n, self.state, self.tables = size, state, tables
        self.width = len(tables.full)

    def at(self, place):
        x, y, z = (coordinate % self.n for coordinate in place)
        return (x * self.n + y) * self.n + z

    def place(self, cell):
        return cell // self.n**2, cell // self.n % self.n, cell % self.n

    def neighbours(self, cell):
        place = self.place(cell)
        return [self.at([a + b for a, b in zip(place, way, strict=True)]) for way in WAYS]

    def phase(self, cell):
        return int(self.state.phase[cell])

    def amount(self, cell):
        return float(self.state.amount[cell])

    def put(self, cell, code, moles):
        self.state.phase[cell] = code
        self.state.amount[cell] = moles

    def takes(self, cell, code, moles):
        return self.amount(cell) + moles <= MOST_IN_A_CELL * self.tables.full[code]

    # The ledger of a block.

    def waiting(self, block):
        return bool(self.state.ledger[block, 0] > 0)

    def store(self, block, code, moles):
        fill = moles / self.tables.full[code]
        if self.state.ledger[block, 0] + fill > self.tables.capacity:
            return False
        self.state.ledger[block, 0] += fill
        self.state.ledger[block, code] += moles
        return True

    def fetch(self, block, cell, code):
        ledger = self.state.ledger[block]
        self.put(cell, code, self.state.amount[cell] + ledger[code])
        ledger[code] = 0.0
        fill = 0.0
        for other in range(1, self.width):
            fill += ledger[other] / self.tables.full[other]
        ledger[0] = fill

    def serve(self, block, i, j):
        """A visit may bring home what waits: to its own phase, to free space, or to a cell that a merger frees."""
        ledger, full = self.state.ledger[block], self.tables.full
        p = self.phase(i)
        if p != EMPTY and ledger[p] > 0:
            if self.takes(i, p, ledger[p]):
                self.fetch(block, i, p)
                return True
            return False
        merger = p != EMPTY
        if merger:
            if self.phase(j) != p or self.amount(i) > 0.5 * full[p] or not self.takes(j, p, self.amount(i)):
                return False
            # amounts are added the kernel's way round
            self.put(j, p, self.amount(j) + self.amount(i))
            self.put(i, EMPTY, 0.0)
        bulkiest = 1
        for code in range(2, self.width):
            if ledger[code] * full[bulkiest] > ledger[bulkiest] * full[code]:
                bulkiest = code
        self.fetch(block, i, bulkiest)
        return True

    def home(self, cell, code, moles):
        """A neighbour that can take a second product: the first of its phase that has room, else the first void."""
        around = self.neighbours(cell)
        for other in around:
            if self.phase(other) == code and self.takes(other, code, moles):
                return other
        for other in around:
            if self.phase(other) == EMPTY:
                return other
        return None

    # Events.

    def react(self, block, i, j, c, xi):
        tables = self.tables
        if self.phase(i) == tables.reactants[c, 0]:
            a, b = i, j
        else:
            a, b = j, i
        need = {a: tables.reactant_coefficients[c, 0], b: tables.reactant_coefficients[c, 1]}
        # on a tie the visited cell is the one spent
        spent, other = (i, j) if self.amount(i) * need[j] <= self.amount(j) * need[i] else (j, i)
        rest = self.amount(other) - need[other] * xi
        both = rest <= ROUND_OFF * tables.full[self.phase(other)]
        products = [(int(tables.products[c, k]), tables.product_coefficients[c, k] * xi) for k in (0, 1)]
        main, second = products
        if both:
            self.put(spent, *main)
            self.put(other, *second)
            return True
        if second[0] != EMPTY:
            refuge = self.home(spent, *second)
            if refuge is None:
                refuge = self.home(spent, *main)
                if refuge is not None:
                    main, second = second, main
            if refuge is not None:
                self.put(refuge, second[0], self.amount(refuge) + second[1])
            elif not self.store(block, *second):
                return False
        self.put(spent, *main)
        self.state.amount[other] = rest
        return True

    def decompose(self, block, i, j, c, xi):
        tables = self.tables
        main, second = [(int(tables.products[c, k]), tables.product_coefficients[c, k] * xi) for k in (0, 1)]
        if second[0] != EMPTY:
            there = self.phase(j)
            if there == self.phase(i):
                self.put(j, *second)
            elif there == second[0] and self.takes(j, *second):
                self.put(j, there, self.amount(j) + second[1])
            elif there == main[0] and self.takes(j, *main):
                self.put(j, there, self.amount(j) + main[1])
                main = second
            elif there == EMPTY:
                self.put(j, *second)
            elif not self.store(block, *second):
                return False
        self.put(i, *main)
        return True

    def book(self, block, c, xi, done):
        self.state.counters[block, 0 if done else 1] += 1
        if done:
            self.state.extent[block, c] += xi
            for g in range(self.state.gas.shape[1]):
                self.state.gas[block, g] += self.tables.gas_coefficients[c, g] * xi

    def offer(self, block, i, j, r):
        tables = self.tables
        p, q = self.phase(i), self.phase(j)
        pair = p * self.width + q
        if tables.max_probability[pair] > 1:
            self.state.counters[block, 2] += 1
        total = 0.0
        for c in tables.pair_channel[tables.pair_start[pair] : tables.pair_start[pair + 1]]:
            mine = 0 if tables.reactants[c, 0] == p else 1
            sides = ((i, mine), (j, 1 - mine))
            faster = max(tables.full_cell_amount[c, side] * (1.0 / self.amount(cell)) for cell, side in sides)
            total += tables.score[c] * min(faster, tables.max_speedup)
            if r < total:
                xi = min(self.amount(cell) / tables.reactant_coefficients[c, side] for cell, side in sides)
                self.book(block, c, xi, self.react(block, i, j, c, xi))
                return
        for c in tables.single_channel[tables.single_start[p] : tables.single_start[p + 1]]:
            together = self.amount(i)
            if p == q and tables.products[c, 1] != EMPTY:
                together += self.amount(j)
            total += tables.score[c] * min(tables.full_cell_amount[c, 0] / together, tables.max_speedup)
            if r < total:
                xi = together / tables.reactant_coefficients[c, 0]
                self.book(block, c, xi, self.decompose(block, i, j, c, xi))
                return
        if r < total + tables.exchange[pair]:
            here, there = (p, self.amount(i)), (q, self.amount(j))
            self.put(i, *there)
            self.put(j, *here)

    def visit(self, block, low, wide, random):
        bits = random.next()
        place = [low[axis] + ((bits >> 11 * axis & 0x7FF) * wide[axis] >> 11) for axis in range(3)]
        way = (bits >> 33 & 0x7FFF) * 6 >> 15
        coarse = float(bits >> 48)
        i = self.at(place)
        j = self.neighbours(i)[way]
        if self.waiting(block) and self.serve(block, i, j):
            return
        p, q = self.phase(i), self.phase(j)
        bound = self.tables.max_probability[p * self.width + q]
        if coarse < bound * 65536.0:
            r = (coarse + (random.next() >> 11) * 2.0**-53) * 2.0**-16
            if r < bound and self.may_happen(i, j, r):
                self.offer(block, i, j, r)

    def may_happen(self, i, j, r):
        """Changes no event: an offer that the emptier cell's rate rules out is not looked into, nor counted."""
        score, moves = (
            table[self.phase(i) * self.width + self.phase(j)]
            for table in (self.tables.full_cell_score, self.tables.exchange)
        )
        return any((r - moves) * self.amount(cell) < score * self.tables.full[self.phase(cell)] for cell in (i, j))


def run_cycles(cycles, first_cycle, seed, blocks, state, tables, *, backwards=False):
    """The twin of ``run_cycles``; with ``backwards``, blocks of one colour are taken in the opposite order."""
    grid = Grid(blocks.size, state, tables)
    per_axis = len(blocks.cuts) - 1
    with np.errstate(all="raise"):
        for cycle in range(first_cycle, first_cycle + cycles):
            random = SplitMix64(int(seed), cycle, CYCLE_STREAM)
            order = []
            for k in range(len(blocks.colours)):  # the inside-out shuffle
                order.append(k)
                swap = (random.next() >> 48) * (k + 1) >> 16
                order[k], order[swap] = order[swap], k
            shift = [(random.next() >> 32) * blocks.size >> 32 for _ in range(3)]
            for colour in order:
                members = blocks.colours[colour]
                for block in members[::-1] if backwards else members:
                    where = (block // per_axis**2, block // per_axis % per_axis, block % per_axis)
                    low = [int(blocks.cuts[b]) + s for b, s in zip(where, shift, strict=True)]
                    wide = [int(blocks.cuts[b + 1] - blocks.cuts[b]) for b in where]
                    random_of_block = SplitMix64(int(seed), cycle, int(block))
                    for _ in range(wide[0] * wide[1] * wide[2]):
                        grid.visit(block, low, wide, random_of_block)


def inventory(phase, amount, ledger):
    """Moles of every phase on the grid and in the ledger, each sum correctly rounded."""
    grid = [math.fsum(amount[phase == code]) for code in range(ledger.shape[1])]
    return np.array(grid), np.array([math.fsum(column) for column in ledger.T])


def contacts(phase, n, width):
    """How often each code is the neighbour of each: every cell looks at all six."""
    found = np.zeros((width, width), dtype=np.int64)
    grid = Grid(n, None, _NoTables)
    for cell in range(phase.size):
        for other in grid.neighbours(cell):
            found[phase[cell], phase[other]] += 1
    return found


def shuffle_cells(phase, amount, seed):
    """Fisher and Yates, from the last cell down."""
    random = SplitMix64(int(seed), 0, 0)
    for k in range(phase.size - 1, 0, -1):
        other = int((random.next() >> 11) * 2.0**-53 * (k + 1))
        phase[[k, other]] = phase[[other, k]]
        amount[[k, other]] = amount[[other, k]]


def count_cells(phase, width):
    """Number of cells of each code."""
    return np.array([np.count_nonzero(phase == code) for code in range(width)])


class _NoTables:
    full = ()
