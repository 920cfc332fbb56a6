// Hysteresis of images on CUDA: pixels of paths are joined, and kept where the root is strong, in three launches.
//
//     tiles    weak and strong pixels are joined in tiles of 32 rows of 64; a tile's roots are told whether one of
//              their pixels is strong, and every such pixel gets its root as a parent
//     seams    tiles are joined
//     keep     strong pixels are kept, and weak ones whose root is strong
//
// The idea: of two roots the weak one gets the other as its parent, as if strong pixels came first in the image. So the
// root of a path is strong if anything on it is, and no pixel is marked and looked up again. How pixels are joined is
// said in cuda_union.cuh.
//
// Memory traffic: of each pixel a byte read twice and a byte written; of each weak or strong one a parent, 4 bytes,
// written and, if it is weak, read. At seams 5 % of the pixels are read again, with up to six neighbours. The number of
// launches depends on nothing, and the host waits for none of them.
//
// Takes images of one or two axes. Compiled with -DKERNEL, -DTHREADS, -DTALL, -DSTEP and -DARGUMENT_BYTES by
// cuda_blocks.py.
#include "cuda_ptx.cuh"
#include "cuda_union.cuh"

// As STEPS in cuda_blocks.py.
enum Step { TILES, SEAMS, KEEP };

// As in reference.py.
enum Class { NOTHING, WEAK, STRONG };

// As ARGUMENTS in cuda_blocks.py.
struct Arguments {
    const unsigned char* classes;  // (N, H, W)
    u32* parents;                  // (N, H, W), of pixels that are something
    unsigned char* kept;           // (N, H, W)
    Union pixels;
    int number, unused;            // what kept pixels are written as
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_blocks.py");

struct Paths {
    typedef int Value;
    const unsigned char* classes;

    __device__ __forceinline__ Pixel<int> at(long long i) const {
        const int found = load_number(classes + i);
        return {0, found == WEAK || found == STRONG, found == STRONG};
    }
};

__device__ __forceinline__ void join_pixels_of_a_tile(const Arguments& a) {
    const Tile tile = join_tile<BEHIND>(Paths{a.classes}, a.pixels);
    const SharedParents roots{shared_memory()};
#pragma unroll
    for (int i = 0; i < 2 * LINES; i++)
        if (tile.strong >> i & 1) roots.lower(tile.root[i / 2][i % 2], tile.root[i / 2][i % 2] & NUMBER);
    __syncthreads();
#pragma unroll
    for (int i = 0; i < 2 * LINES; i++) {
        if (!(tile.open >> i & 1)) continue;
        const u32 root = roots.load(tile.root[i / 2][i % 2]);
        const long long line = tile.first + static_cast<long long>(tile.p + i / 2) * a.pixels.width;
        store_number(a.parents + line + tile.q + i % 2 * 32, tile.number(a.pixels, root) | (root & BEHIND));
    }
}

__device__ __forceinline__ void keep_pixels(const Arguments& a) {
    const Chunk chunk = chunk_of(a.pixels);
    const Parents parents{a.parents + chunk.first};
    int found[EACH];
    u32 keys[EACH];
#pragma unroll
    for (int i = 0; i < EACH; i++) {
        const u32 at = chunk.begin + i * THREADS;
        found[i] = at < a.pixels.pixels ? static_cast<int>(load_number(a.classes + chunk.first + at)) : NOTHING;
    }
#pragma unroll
    for (int i = 0; i < EACH; i++) {
        keys[i] = found[i] == STRONG ? 0 : BEHIND;
        if (found[i] == WEAK) keys[i] = parents.load(chunk.begin + i * THREADS);
    }
#pragma unroll
    for (int i = 0; i < EACH; i++) {
        const u32 at = chunk.begin + i * THREADS;
        if (found[i] == WEAK && keys[i] & BEHIND) keys[i] = find(parents, keys[i]);
        if (at < a.pixels.pixels)
            store_number(a.kept + chunk.first + at, static_cast<unsigned char>(keys[i] & BEHIND ? 0 : a.number));
    }
}

extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    if constexpr (STEP == TILES) join_pixels_of_a_tile(a);
    if constexpr (STEP == SEAMS) join_seams(Paths{a.classes}, a.pixels, a.parents);
    if constexpr (STEP == KEEP) keep_pixels(a);
}
