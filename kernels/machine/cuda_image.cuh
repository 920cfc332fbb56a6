// Threads of images (N, H, W, C): each has a group of neighbouring channels of a pixel, numbered as they lie in memory.
//
// All channels of a pixel share what costs integers: where it is and what it has to do with. A thread computes it once
// for its group, and the threads of a warp have runs of channels. Divisions are multiplications.
//
// Included behind cuda_ptx.cuh, by sources that are compiled with -DLARGE.
#pragma once

#if LARGE
typedef unsigned long long Index;  // of 2^31 groups or more
#else
typedef u32 Index;
#endif

// As IMAGE in cuda_image.py.
struct Image {
    Divisor rows, columns, groups;  // of the images, of a row, of a pixel
    long long count;                // groups in all
};

struct Place {
    Index image;
    int row, column, group;
};

__device__ __forceinline__ Place place_of(const Image& a, long long index) {
    const Index number = static_cast<Index>(index), pixel = quotient(number, a.groups);
    const Index line = quotient(pixel, a.columns), image = quotient(line, a.rows);
    return {image, static_cast<int>(line - image * static_cast<Index>(a.rows.divisor)),
            static_cast<int>(pixel - line * static_cast<Index>(a.columns.divisor)),
            static_cast<int>(number - pixel * static_cast<Index>(a.groups.divisor))};
}
