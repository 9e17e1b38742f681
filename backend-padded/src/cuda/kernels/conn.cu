// Which elements samples have, in the order of Engine::visit: a warp a sample, a lane a group.

// A sample's slots: items and elements are left out where they are null.
struct Slots {
    u32 *items;
    REAL *re, *im;
    u32 width;

    // Samples that are no states of the space may have more elements than the space allows.
    __device__ void set(u32 k, u32 item, Number element) {
        if (k >= width) return;
        if (items) items[k] = item;
        if (re) re[k] = real_part(element);
        if (im) im[k] = imaginary_part(element);
    }
};

// x (b, n_words or n_sites), values (n_slots), counts (b), items and elements (b, width). A warp a sample.
extern "C" __global__ void conn(Engine engine, const Sample *x, const REAL *values_re, const REAL *values_im, u32 *counts,
                                u32 *items, REAL *mels_re, REAL *mels_im, u32 width, u32 n_samples) {
    u64 sample = warp_number(), start = sample * width;
    if (sample >= n_samples) return;
    Configuration from = load(engine, x, (u32)sample);
    Values values = {values_re, values_im};
    Slots slots = {items ? items + start : 0, mels_re ? mels_re + start : 0, mels_im ? mels_im + start : 0, width};
    Number of_diagonal = diagonal(engine, from, values);
    u32 n = !is_zero(of_diagonal);
    if (n > 0 && lane_number() == 0) slots.set(0, 0, of_diagonal);
    for (u32 group = 0; group < n_groups(engine); group += 32) {
        Elements found = elements_of(engine, group + lane_number(), from, values);
        u32 place = place_behind(n, n_non_zero(engine, found, values));
        for (u32 k = found.first; k < found.end; k++) {
            Number value = element(engine, found, k, values);
            if (!is_zero(value)) slots.set(place++, item_of(engine, found, k), value);
        }
    }
    if (lane_number() == 0) counts[sample] = n;
    for (u32 k = n + lane_number(); k < width; k += 32) slots.set(k, 0, number(0, 0));
}

// counts (b): the elements besides the diagonal. A warp a sample.
extern "C" __global__ void n_off_diagonal(Engine engine, const Sample *x, const REAL *values_re, const REAL *values_im,
                                          u32 *counts, u32 n_samples) {
    u64 sample = warp_number();
    if (sample >= n_samples) return;
    Configuration from = load(engine, x, (u32)sample);
    Values values = {values_re, values_im};
    u32 own = 0;
    for (u32 group = lane_number(); group < n_groups(engine); group += 32)
        own += n_non_zero(engine, elements_of(engine, group, from, values), values);
    u32 n = sum_of_warp(own);
    if (lane_number() == 0) counts[sample] = n;
}
