// Sums over the units of a first layer at connected states: the layer is changed at a few sites and summed at once, so that
// neither states nor layers are stored.
//
// LN_COSH is 1 if ln cosh of the units is summed, otherwise the units are.

#if COMPLEX
#define IMAGINARY(pointer, k) (pointer)[k]
#else
#define IMAGINARY(pointer, k) 0
#endif

// A layer of units: z (b, n_units) at samples x (b, n_words or n_sites), and weights w (n_sites, n_units).
struct Layer {
    const Engine &engine;
    const Sample *x;
    const REAL *z_re, *z_im, *w_re, *w_im;
    u32 n_units;

    // A unit at the state of an item: z[b, m] + sum_i (x'_i - x_i) w[i, m].
    __device__ Parts unit_at(u32 sample, u32 item, u32 unit) const {
        u64 at = (u64)sample * n_units + unit;
        Parts value = {z_re[at], IMAGINARY(z_im, at)};
        for_each_change(engine, x, sample, item, [&](u32 site, int by) {
            u64 weight = (u64)site * n_units + unit;
            value.re += (REAL)by * w_re[weight];
            value.im += (REAL)by * IMAGINARY(w_im, weight);
        });
        return value;
    }
};

// x, items (b, width), z, w -> sums (b, width): sum_m f(unit m at the state). A warp a slot, a lane a unit; the order of
// summing depends on the number of units alone.
extern "C" __global__ void sums_of_units(Engine engine, const Sample *x, const u32 *items, const REAL *z_re,
                                         const REAL *z_im, const REAL *w_re, const REAL *w_im, double *sums_re,
                                         double *sums_im, u32 n_units, u32 width, u32 n_samples) {
    u64 slot = warp_number();
    if (slot >= (u64)n_samples * width) return;
    Layer layer = {engine, x, z_re, z_im, w_re, w_im, n_units};
    double sum_re = 0, sum_im = 0;
    for (u32 unit = lane_number(); unit < n_units; unit += 32) {
        Parts value = layer.unit_at((u32)(slot / width), items[slot], unit);
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

// gradient (b, width) in real and imaginary parts of the sums -> of_z (b, n_units), that in those of z, and
// of_runs (runs, n_sites, n_units), that in those of w for each run of `run` samples; left out where null. A lane a unit
// and a warp a run of 32 units, so that nobody else adds to what a lane adds up.
extern "C" __global__ void sums_of_units_backward(Engine engine, const Sample *x, const u32 *items, const REAL *z_re,
                                                  const REAL *z_im, const REAL *w_re, const REAL *w_im,
                                                  const double *gradient_re, const double *gradient_im, double *of_z_re,
                                                  double *of_z_im, double *of_runs_re, double *of_runs_im, u32 run,
                                                  u32 n_units, u32 width, u32 n_samples) {
    u32 warps_of_run = (n_units + 31) / 32, unit = (u32)(warp_number() % warps_of_run) * 32 + lane_number();
    u64 number = warp_number() / warps_of_run, start = number * run;
    if (start >= n_samples || unit >= n_units) return;
    Layer layer = {engine, x, z_re, z_im, w_re, w_im, n_units};
    u64 own = number * engine.n_sites * n_units + unit;
    if (of_runs_re) {
        for (u32 site = 0; site < engine.n_sites; site++) {
            of_runs_re[own + (u64)site * n_units] = 0;
#if COMPLEX
            of_runs_im[own + (u64)site * n_units] = 0;
#endif
        }
    }
    u32 end = (u32)min(start + run, (u64)n_samples);
    for (u32 sample = (u32)start; sample < end; sample++) {
        double sum_re = 0, sum_im = 0;
        for (u64 slot = (u64)sample * width; slot < (u64)(sample + 1) * width; slot++) {
            double re = gradient_re[slot], im = IMAGINARY(gradient_im, slot);
            // Unused slots have none.
            if (re == 0 && im == 0) continue;
#if LN_COSH
            // The gradient of f(z) in the parts of z is g times the conjugate of f'.
            Parts at = layer.unit_at(sample, items[slot], unit), slope = tanh_of(at.re, at.im);
            double of_re = re * slope.re + im * slope.im;
            im = im * slope.re - re * slope.im, re = of_re;
#endif
            sum_re += re, sum_im += im;
            if (of_runs_re) {
                for_each_change(engine, x, sample, items[slot], [&](u32 site, int by) {
                    of_runs_re[own + (u64)site * n_units] += by * re;
#if COMPLEX
                    of_runs_im[own + (u64)site * n_units] += by * im;
#endif
                });
            }
        }
        u64 at = (u64)sample * n_units + unit;
        if (of_z_re) of_z_re[at] = sum_re;
#if COMPLEX
        if (of_z_im) of_z_im[at] = sum_im;
#endif
    }
}
