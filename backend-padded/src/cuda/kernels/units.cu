// A first layer at connected states, which is changed at a few sites, so that no states are stored; and sums over its units,
// which store no layers either.
//
// LN_COSH is 1 if ln cosh of the units is summed, otherwise the units are.

#if COMPLEX
#define IMAGINARY(pointer, k) (pointer)[k]
#else
#define IMAGINARY(pointer, k) 0
#endif

struct GradientParts {
    double re, im;
};

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

// x, items (b, width), z, w -> units (b, width, n_units), those of the states. A warp a slot, a lane a unit.
extern "C" __global__ void changed_layer(Engine engine, const Sample *x, const u32 *items, const REAL *z_re,
                                         const REAL *z_im, const REAL *w_re, const REAL *w_im, REAL *units_re,
                                         REAL *units_im, u32 n_units, u32 width, u32 n_samples) {
    u64 slot = warp_number();
    if (slot >= (u64)n_samples * width) return;
    Layer layer = {engine, x, z_re, z_im, w_re, w_im, n_units};
    for (u32 unit = lane_number(); unit < n_units; unit += 32) {
        Parts value = layer.unit_at((u32)(slot / width), items[slot], unit);
        units_re[slot * n_units + unit] = (REAL)value.re;
#if COMPLEX
        units_im[slot * n_units + unit] = (REAL)value.im;
#endif
    }
}

// Where gradients in a layer go: of_z (b, n_units), and of_runs (runs, n_sites, n_units), those in w of each run of `run`
// samples. What is null is left out.
struct Gradients {
    double *of_z_re, *of_z_im, *of_runs_re, *of_runs_im;
    u32 run;

    // From `at(slot, unit)`, the gradient in a unit at the state of a slot. A lane a unit and a warp a run of 32 units, so
    // that nobody else adds to what a lane adds up.
    template <class At>
    __device__ void add_up(const Layer &layer, const u32 *items, u32 width, u32 n_samples, At at) const {
        u32 n_units = layer.n_units, n_sites = layer.engine.n_sites, warps_of_run = (n_units + 31) / 32;
        u32 unit = (u32)(warp_number() % warps_of_run) * 32 + lane_number();
        u64 number = warp_number() / warps_of_run, start = number * run;
        if (start >= n_samples || unit >= n_units) return;
        u64 own = number * n_sites * n_units + unit;
        if (of_runs_re) {
            for (u32 site = 0; site < n_sites; site++) {
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
                GradientParts gradient = at(sample, slot, unit);
                // Unused slots have none.
                if (gradient.re == 0 && gradient.im == 0) continue;
                sum_re += gradient.re, sum_im += gradient.im;
                if (of_runs_re) {
                    for_each_change(layer.engine, layer.x, sample, items[slot], [&](u32 site, int by) {
                        of_runs_re[own + (u64)site * n_units] += by * gradient.re;
#if COMPLEX
                        of_runs_im[own + (u64)site * n_units] += by * gradient.im;
#endif
                    });
                }
            }
            u64 of_sample = (u64)sample * n_units + unit;
            if (of_z_re) of_z_re[of_sample] = sum_re;
#if COMPLEX
            if (of_z_im) of_z_im[of_sample] = sum_im;
#endif
        }
    }
};

// From the gradient (b, width) in real and imaginary parts of the sums.
extern "C" __global__ void sums_of_units_backward(Engine engine, const Sample *x, const u32 *items, const REAL *z_re,
                                                  const REAL *z_im, const REAL *w_re, const REAL *w_im,
                                                  const double *gradient_re, const double *gradient_im, double *of_z_re,
                                                  double *of_z_im, double *of_runs_re, double *of_runs_im, u32 run,
                                                  u32 n_units, u32 width, u32 n_samples) {
    Layer layer = {engine, x, z_re, z_im, w_re, w_im, n_units};
    Gradients gradients = {of_z_re, of_z_im, of_runs_re, of_runs_im, run};
    gradients.add_up(layer, items, width, n_samples, [&](u32 sample, u64 slot, u32 unit) {
        GradientParts gradient = {gradient_re[slot], IMAGINARY(gradient_im, slot)};
#if LN_COSH
        if (gradient.re == 0 && gradient.im == 0) return gradient;
        // The gradient of f(z) in the parts of z is g times the conjugate of f'.
        Parts value = layer.unit_at(sample, items[slot], unit), slope = tanh_of(value.re, value.im);
        return GradientParts{gradient.re * slope.re + gradient.im * slope.im,
                             gradient.im * slope.re - gradient.re * slope.im};
#else
        return gradient;
#endif
    });
}

// From the gradient (b, width, n_units) in real and imaginary parts of the units.
extern "C" __global__ void changed_layer_backward(Engine engine, const Sample *x, const u32 *items, const REAL *z_re,
                                                  const REAL *z_im, const REAL *w_re, const REAL *w_im,
                                                  const REAL *gradient_re, const REAL *gradient_im, double *of_z_re,
                                                  double *of_z_im, double *of_runs_re, double *of_runs_im, u32 run,
                                                  u32 n_units, u32 width, u32 n_samples) {
    Layer layer = {engine, x, z_re, z_im, w_re, w_im, n_units};
    Gradients gradients = {of_z_re, of_z_im, of_runs_re, of_runs_im, run};
    gradients.add_up(layer, items, width, n_samples, [&](u32, u64 slot, u32 unit) {
        u64 of_unit = slot * n_units + unit;
        return GradientParts{gradient_re[of_unit], IMAGINARY(gradient_im, of_unit)};
    });
}
