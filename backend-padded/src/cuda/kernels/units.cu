// Sums over the units of a first layer at connected states: the layer is changed at a few sites and summed at once, so that
// neither states nor layers are stored.
//
// LN_COSH is 1 if ln cosh of the units is summed, otherwise the units are.

// x (b, n_words or n_sites), items (b, width), z (b, n_units), w (n_sites, n_units) -> sums (b, width):
// sum_m f(z[b, m] + sum_i (x'_i - x_i) w[i, m]). A warp a slot, a lane a unit; the order of summing depends on the number
// of units alone.
extern "C" __global__ void sums_of_units(Engine engine, const Sample *x, const u32 *items, const REAL *z_re,
                                         const REAL *z_im, const REAL *w_re, const REAL *w_im, double *sums_re,
                                         double *sums_im, u32 n_units, u32 width, u32 n_samples) {
    u64 slot = warp_number();
    if (slot >= (u64)n_samples * width) return;
    u32 sample = (u32)(slot / width);
    double sum_re = 0, sum_im = 0;
    for (u32 unit = lane_number(); unit < n_units; unit += 32) {
        u64 at = (u64)sample * n_units + unit;
        Parts value = {z_re[at], 0};
#if COMPLEX
        value.im = z_im[at];
#endif
        for_each_change(engine, x, sample, items[slot], [&](u32 site, int by) {
            u64 weight = (u64)site * n_units + unit;
            value.re += (REAL)by * w_re[weight];
#if COMPLEX
            value.im += (REAL)by * w_im[weight];
#endif
        });
#if LN_COSH
        value = ln_cosh_of(value.re, value.im);
#endif
        sum_re += value.re, sum_im += value.im;
    }
    sum_re = sum_of_warp(sum_re);
    if (lane_number() == 0) sums_re[slot] = sum_re;
#if COMPLEX
    sum_im = sum_of_warp(sum_im);
    if (lane_number() == 0) sums_im[slot] = sum_im;
#endif
}
