// Integral images on CUDA: running sums along the middle axis of arrays (outer, n, inner), one kernel in two launches.
//
//     down     the columns of x (N, H, W * C) are summed, in the working type
//     across   (LEAD) lines of those, (N * H, W, C), are summed; a line and a pixel of zeros stand before them in y
//
// The idea is to read and write neighbouring numbers with neighbouring threads, whichever way the sums run: `across`
// lanes of a warp stand side by side along inner, a power of two up to 32, and the others behind them along n. So a
// warp has ITEMS vectors of 32 / across positions, and few additions of a sum wait for each other:
//
//     vector   shuffles give every number the one 1, 2, 4, ... positions before it
//     warp     the last sum of a vector goes on to the next one
//     block    (TEAM) the last sums of warps meet in shared memory: each warp adds those before it, and the sum of all
//              goes on to the next piece of the line. Without TEAM, of short lines, each warp has lines of its own.
//
// Index arithmetic: a line of y has n positions, of which the first has no number to read with LEAD, and neither has
// the first line of an image; line l of image i reads line l - i - 1.
//
// Numbers: those of a piece are loaded while the piece before is added. Integers wrap, as they do in C; others are
// summed in float64, and rounded as y is written. The order of additions follows from the shape.
//
// Memory traffic: every number once, its column's sum written and read again, every result once. That bounds it where
// there are columns enough: one image of W * C of them has W * C / 32 blocks in the first launch.
//
// Compiled with -DKERNEL, -DTHREADS, -DITEMS, -DNUMBER, -DSUM, -DRESULT, -DLEAD, -DTEAM and -DARGUMENT_BYTES by
// cuda_scan.py.
#include "cuda_ptx.cuh"

// As TYPES in cuda_scan.py.
template <int TYPE>
struct Named;
template <>
struct Named<0> {
    typedef unsigned char type;
};
template <>
struct Named<1> {
    typedef u32 type;  // int32, which wraps
};
template <>
struct Named<2> {
    typedef float type;
};
template <>
struct Named<3> {
    typedef double type;
};
typedef Named<NUMBER>::type Number;
typedef Named<SUM>::type Sum;
typedef Named<RESULT>::type Result;

// As ARGUMENTS in cuda_scan.py.
struct Arguments {
    const Number* x;        // (outer, n, inner), with LEAD less a position of each line and a line of each image
    Result* y;              // (outer, n, inner)
    Divisor strips, lines;  // of `across` sums along inner; of an image of y
    long long n, inner;
    u32 teams;              // lines times strips
    int across;
};
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "Arguments differs from cuda_scan.py");

constexpr int WARPS = THREADS / 32;
constexpr u32 SIZE = sizeof(Sum);

extern "C" __global__ void __launch_bounds__(THREADS) KERNEL(const Arguments a) {
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, down = 32 / a.across;
    const u32 team = TEAM ? blockIdx.x : blockIdx.x * WARPS + warp;
    if (team >= a.teams) return;  // the whole warp
    const u32 line = quotient(team, a.strips), image = quotient(line, a.lines);
    const bool first_line = LEAD && line == image * static_cast<u32>(a.lines.divisor);
    const int column = lane % a.across, place = lane / a.across;
    const long long f = static_cast<long long>(team - line * static_cast<u32>(a.strips.divisor)) * a.across + column;
    const long long from = LEAD ? static_cast<long long>(line) - image - 1 : line;
    const Number* x = a.x + from * (a.n - LEAD) * a.inner + f;
    Result* y = a.y + line * a.n * a.inner + f;

    const auto load = [&](long long first, Sum (&numbers)[ITEMS]) {
#pragma unroll
        for (int k = 0; k < ITEMS; k++) {
            const long long j = first + k * down + place;
            const bool any = f < a.inner && j < a.n && !(LEAD && (first_line || j == 0));
            numbers[k] = any ? static_cast<Sum>(load_number(x + (j - LEAD) * a.inner)) : Sum(0);
        }
    };

    const int step = ITEMS * down * (TEAM ? WARPS : 1);
    u32 meeting = shared_memory();
    Sum total = 0;  // of the pieces before
    Sum numbers[ITEMS], sums[ITEMS];
    long long first = TEAM ? ITEMS * down * warp : 0;  // of the warp
    load(first, numbers);
    for (long long begin = 0; begin < a.n; begin += step, first += step) {
        Sum last = 0;  // of the vector before
#pragma unroll
        for (int k = 0; k < ITEMS; k++) {
            Sum sum = numbers[k];
            for (int back = a.across; back < 32; back *= 2) {
                const Sum before = shuffle(sum, lane - back);
                if (lane >= back) sum += before;
            }
            sums[k] = last + sum;
            last = shuffle(sums[k], 32 - a.across + column);
        }
        load(first + step, numbers);
        Sum before = total;
#if TEAM
        if (place == 0) store_shared(meeting + (warp * a.across + column) * SIZE, last);
        __syncthreads();
#pragma unroll
        for (int w = 0; w < WARPS; w++) {
            const Sum other = load_shared<1, Sum>(meeting + (w * a.across + column) * SIZE).number[0];
            if (w < warp) before += other;
            total += other;
        }
        // The next piece meets elsewhere: others may still read here.
        meeting = meeting == shared_memory() ? meeting + WARPS * a.across * SIZE : shared_memory();
#else
        total += last;
#endif
#pragma unroll
        for (int k = 0; k < ITEMS; k++) {
            const long long j = first + k * down + place;
            if (f < a.inner && j < a.n) store_number(y + j * a.inner, static_cast<Result>(before + sums[k]));
        }
    }
}
