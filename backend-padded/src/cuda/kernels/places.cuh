// Where the elements of a group are among those of a sample, by a warp of which each lane has a group.

// The place of a lane's first element behind the `n` elements so far, to which those of all lanes are added.
__device__ u32 place_behind(u32 &n, u32 own) {
#if ONE_ELEMENT
    u32 present = __ballot_sync(ALL_LANES, own > 0);
    u32 place = n + __popc(present & lanes_before());
    n += __popc(present);
#else
    u32 place = n + sum_before(own);
    n = __shfl_sync(ALL_LANES, place + own, 31);
#endif
    return place;
}

__device__ u32 n_non_zero(const Engine &engine, const Elements &elements, const Values &values) {
    u32 n = 0;
    for (u32 k = elements.first; k < elements.end; k++) n += !is_zero(element(engine, elements, k, values));
    return n;
}
