// Samples, or what changes make of them, become rows of numbers.
//
// QUANTUM is the type of a row's numbers; INDICES is 1 if they are local indices, otherwise they are quantum numbers.

// x (b, n_words or n_sites), items (b, width), rows (b, width, n_sites). Without items, width is 1 and rows are the
// samples themselves. A warp a row.
extern "C" __global__ void rows(Engine engine, const Sample *x, const u32 *items, QUANTUM *rows, u32 width,
                                u32 n_samples) {
    u64 row = warp_number();
    if (row >= (u64)n_samples * width) return;
    auto value = [&](u32 index, u32 site) -> QUANTUM {
#if INDICES
        return (QUANTUM)index;
#else
        Local local = engine.locals[site];
        return (QUANTUM)(local.first + local.step * (int)index);
#endif
    };
    write_row(engine, x, (u32)(row / width), items ? items[row] : 0, rows + row * engine.n_sites, value);
}
