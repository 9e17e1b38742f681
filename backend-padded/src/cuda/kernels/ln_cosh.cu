// ln cosh (ln_cosh.cuh) and its derivative tanh, of real or complex numbers. A thread a number; imaginary parts are null if
// real.

#if COMPLEX
#define IMAGINARY(pointer, k) (pointer)[k]
#else
#define IMAGINARY(pointer, k) 0
#endif

__device__ void write(Parts value, REAL *re, REAL *im, u64 k) {
    re[k] = value.re;
#if COMPLEX
    im[k] = value.im;
#endif
}

// z (n) -> value (n).
extern "C" __global__ void ln_cosh(const REAL *z_re, const REAL *z_im, REAL *value_re, REAL *value_im, u64 n) {
    u64 k = thread_number();
    if (k < n) write(ln_cosh_of(z_re[k], IMAGINARY(z_im, k)), value_re, value_im, k);
}

// z (n) -> tanh z (n), the derivative of ln cosh.
extern "C" __global__ void ln_cosh_derivative(const REAL *z_re, const REAL *z_im, REAL *value_re, REAL *value_im, u64 n) {
    u64 k = thread_number();
    if (k < n) write(tanh_of(z_re[k], IMAGINARY(z_im, k)), value_re, value_im, k);
}

// gradient (n) in real and imaginary parts of ln cosh z -> that in those of z: times the conjugate of tanh z.
extern "C" __global__ void ln_cosh_backward(const REAL *z_re, const REAL *z_im, const REAL *gradient_re,
                                            const REAL *gradient_im, REAL *of_z_re, REAL *of_z_im, u64 n) {
    u64 k = thread_number();
    if (k >= n) return;
    Parts slope = tanh_of(z_re[k], IMAGINARY(z_im, k));
    REAL re = gradient_re[k], im = IMAGINARY(gradient_im, k);
    write({re * slope.re + im * slope.im, im * slope.re - re * slope.im}, of_z_re, of_z_im, k);
}
