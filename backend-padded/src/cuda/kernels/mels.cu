// Elements as functions of the values of slots, and the gradient in these values.

// Elements of x (b, n_words or n_sites) at items (b, width), of which the first counts[b] are used, as sums of values in
// the order of the CPU. `values` are (n_slots), or (b, n_slots): sample b's start at b * stride. A thread an element.
extern "C" __global__ void mels(Engine engine, const Sample *x, const u32 *items, const u32 *counts, const REAL *values,
                                u32 stride, REAL *mels, u32 width, u32 n_samples) {
    u64 place = thread_number();
    if (place >= (u64)n_samples * width) return;
    u32 sample = (u32)(place / width), k = (u32)(place % width);
    REAL sum = 0;
    if (k < counts[sample]) {
        Configuration from = load(engine, x, sample);
        const REAL *own = values + (u64)sample * stride;
        Terms terms = terms_of(engine, items[place], from);
        for (u32 t = 0; t < terms.n; t++) {
            Term summand = term(engine, terms, t, from);
            sum += own[summand.slot] * (REAL)summand.factor;
        }
    }
    mels[place] = sum;
}

// Adds what lanes have for some slots to a row of sums, in an order that does not depend on anything else. A slot's sum
// belongs to one lane, so that no other reads what it writes.
__device__ void add_to_slots(double *sums, u32 slot, double value, bool is_used) {
    for (u32 rest = __ballot_sync(ALL_LANES, is_used); rest;) {
        u32 first = __shfl_sync(ALL_LANES, slot, __ffs(rest) - 1);
        bool is_equal = is_used && slot == first;
        double sum = sum_of_warp(is_equal ? value : 0.0);
        if (lane_number() == first % 32) sums[first] += sum;
        rest &= ~__ballot_sync(ALL_LANES, is_equal);
    }
}

// gradient (b, width) in the elements of `mels` -> partial (runs, n_slots): that in the values, for each run of `run`
// samples. A warp a run.
extern "C" __global__ void mels_backward(Engine engine, const Sample *x, const u32 *items, const u32 *counts,
                                         const REAL *gradient, double *partial, u32 run, u32 width, u32 n_samples) {
    u64 start = warp_number() * run;
    if (start >= n_samples) return;
    double *sums = partial + warp_number() * engine.n_slots;
    for (u32 slot = lane_number(); slot < engine.n_slots; slot += 32) sums[slot] = 0;
    u32 end = (u32)min(start + run, (u64)n_samples);
    for (u32 sample = (u32)start; sample < end; sample++) {
        Configuration from = load(engine, x, sample);
        u64 first = (u64)sample * width;
        u32 n = min(counts[sample], width), k = 0;
        // The diagonal has so many slots that all lanes share them.
        if (n > 0 && items[first] == 0) {
            Terms terms = terms_of(engine, 0, from);
            for (u32 t = 0; t < terms.n; t += 32) {
                bool is_used = t + lane_number() < terms.n;
                Term own = is_used ? term(engine, terms, t + lane_number(), from) : Term{0, 0.0};
                add_to_slots(sums, own.slot, own.factor * (double)gradient[first], is_used);
            }
            k = 1;
        }
        for (; k < n; k += 32) {
            bool exists = k + lane_number() < n;
            u64 place = first + k + lane_number();
            Terms terms = terms_of(engine, exists ? items[place] : 0, from);
            if (!exists) terms.n = 0;
            for (u32 t = 0; __ballot_sync(ALL_LANES, t < terms.n); t++) {
                bool is_used = t < terms.n;
                Term own = is_used ? term(engine, terms, t, from) : Term{0, 0.0};
                double value = is_used ? own.factor * (double)gradient[place] : 0.0;
                add_to_slots(sums, own.slot, value, is_used);
            }
        }
    }
}
