// The choice of a connected configuration, for samplers.

// chosen (b, n_words or n_sites): the numbers[b]-th x' != x in the order of `conn`; x itself beyond the last. A warp a
// sample.
extern "C" __global__ void select_off_diagonal(Engine engine, const Sample *x, const REAL *values_re,
                                               const REAL *values_im, const u32 *numbers, Sample *chosen,
                                               u32 n_samples) {
    u64 sample = warp_number();
    if (sample >= n_samples) return;
    Configuration from = load(engine, x, (u32)sample);
    Values values = {values_re, values_im};
    u32 number = numbers[sample], n = 0, item = 0;
    for (u32 group = 0; group < n_groups(engine) && n <= number; group += 32) {
        Elements found = elements_of(engine, group + lane_number(), from, values);
        u32 place = place_behind(n, n_non_zero(engine, found, values)), own = 0;
        for (u32 k = found.first; k < found.end; k++) {
            bool exists = !is_zero(element(engine, found, k, values));
            if (exists && place++ == number) own = item_of(engine, found, k);
        }
        // At most one lane has it.
        item += sum_of_warp(own);
    }
    write_sample(engine, x, (u32)sample, item, chosen);
}
