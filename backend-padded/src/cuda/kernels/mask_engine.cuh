// An operator on two-level sites: its arrays (kernel::MaskArrays), and samples as words of bits.
//
// N_WORDS is the number of words of a sample, which are then in registers; 0 stands for more than four, which are read
// from memory where they are needed.

// `first` and `second` are the sites of a piece that looks at no more; of more, or with guards, `first` is where they
// start in `supports` or `guards`. `kind` is their number, or GUARDED, and SIGNED more with a sign mask.
struct Piece {
    u32 table, first, second, kind;
};
#define SIGNED 256
#define GUARDED 255

// Pieces of the diagonal with equal tables. An index leads to an outcome, which is a signed slot.
struct Class {
    u32 first_member, end_member, outcome_of, outcomes, n_outcomes;
};

struct Engine {
    const Piece *pieces;
    const u32 *pieces_of_group;  // (n_groups + 1)
    const u64 *flips, *signs;    // (n_groups, n_words), (n_pieces, n_words)
    const u64 *guards;           // (n_guarded, 2, n_words): sites, and their bits
    const u32 *supports, *tables;
    const Class *classes;
    const u32 *members, *outcome_of, *outcomes, *singles;
    const Local *locals;  // (n_sites)
    const Total *totals;
    u32 n_sites, n_totals, n_slots, n_words, n_groups, n_diagonal, n_classes, n_singles;
};

typedef u64 Sample;

#if N_WORDS > 0
#define FOR_WORDS(engine, w) _Pragma("unroll") for (u32 w = 0; w < N_WORDS; w++)
struct Configuration {
    u64 words[N_WORDS];

    __device__ u64 word(u32 w) const { return words[w]; }
    // By arithmetic: an index that is not known to the compiler would put the words into local memory.
    __device__ u32 index(u32 site) const {
        u32 bit = 0;
        _Pragma("unroll") for (u32 w = 0; w < N_WORDS; w++) bit |= (u32)(words[w] >> site % 64) & (site / 64 == w);
        return bit;
    }
};
__device__ u32 words_of(const Engine &) { return N_WORDS; }
#else
#define FOR_WORDS(engine, w) for (u32 w = 0; w < engine.n_words; w++)
struct Configuration {
    const u64 *words;

    __device__ u64 word(u32 w) const { return words[w]; }
    __device__ u32 index(u32 site) const { return (u32)(words[site / 64] >> site % 64) & 1; }
};
__device__ u32 words_of(const Engine &engine) { return engine.n_words; }
#endif

__device__ Configuration load(const Engine &engine, const Sample *x, u32 sample) {
    const u64 *words = x + (u64)sample * words_of(engine);
#if N_WORDS > 0
    Configuration out;
    FOR_WORDS(engine, w) out.words[w] = words[w];
    return out;
#else
    return {words};
#endif
}

// Bit 0 where the group of an item flips the site.
__device__ u32 flips_site(const Engine &engine, u32 item, u32 site) {
    if (item == 0) return 0;
    return (u32)(engine.flips[(u64)(item - 1) * words_of(engine) + site / 64] >> site % 64) & 1;
}

// A warp writes the sample that an item leads to.
__device__ void write_sample(const Engine &engine, const Sample *x, u32 sample, u32 item, Sample *to) {
    u64 start = (u64)sample * words_of(engine);
    for (u32 w = lane_number(); w < words_of(engine); w += 32) {
        u64 flip = item == 0 ? 0 : engine.flips[(u64)(item - 1) * words_of(engine) + w];
        to[start + w] = x[start + w] ^ flip;
    }
}

// A warp writes local indices, given by a function of the site, as a sample.
template <class Index> __device__ void pack_sample(const Engine &engine, u32 sample, Sample *to, Index index) {
    for (u32 w = 0; w < words_of(engine); w++) {
        u32 low = w * 64 + lane_number(), high = low + 32;
        u32 bits = __ballot_sync(ALL_LANES, low < engine.n_sites && index(low));
        u32 high_bits = __ballot_sync(ALL_LANES, high < engine.n_sites && index(high));
        if (lane_number() == 0) to[(u64)sample * words_of(engine) + w] = bits | (u64)high_bits << 32;
    }
}

// A warp writes the row that an item leads to; `value` makes a number of a local index and its site.
template <class Quantum, class Value>
__device__ void write_row(const Engine &engine, const Sample *x, u32 sample, u32 item, Quantum *row, Value value) {
    const u64 *words = x + (u64)sample * words_of(engine);
    for (u32 site = lane_number(); site < engine.n_sites; site += 32) {
        u32 bit = (u32)(words[site / 64] >> site % 64) & 1;
        row[site] = value(bit ^ flips_site(engine, item, site), site);
    }
}

// Calls f with each site that an item changes, and what is added to its quantum number.
template <class F> __device__ void for_each_change(const Engine &engine, const Sample *x, u32 sample, u32 item, F f) {
    if (item == 0) return;
    for (u32 w = 0; w < words_of(engine); w++) {
        u64 word = x[(u64)sample * words_of(engine) + w];
        for (u64 flips = engine.flips[(u64)(item - 1) * words_of(engine) + w]; flips; flips &= flips - 1) {
            u32 bit = (u32)__ffsll((long long)flips) - 1, site = w * 64 + bit;
            int step = engine.locals[site].step;
            f(site, word >> bit & 1 ? -step : step);
        }
    }
}
