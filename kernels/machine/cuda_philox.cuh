// Philox4x32-10: the blocks of four words that all random numbers are made of (random/reference.py).
//
// Included behind cuda_ptx.cuh.
#pragma once

struct Words {
    u32 word[4];
};

// The block that many after the place's counter; the upper half of Philox's 128-bit counter stays zero.
__device__ __forceinline__ Words philox(const long long* place, unsigned long long index) {
    u32 k0 = static_cast<u32>(load_number(place)), k1 = static_cast<u32>(load_number(place + 1));
    const unsigned long long lower = load_number(place + 2), upper = load_number(place + 3);
    const unsigned long long counter = (upper << 32 | lower) + index;
    u32 c0 = static_cast<u32>(counter), c1 = static_cast<u32>(counter >> 32), c2 = 0, c3 = 0;
#pragma unroll
    for (int round = 0; round < 10; round++) {
        const unsigned long long first = 0xD2511F53ull * c0, second = 0xCD9E8D57ull * c2;
        c0 = static_cast<u32>(second >> 32) ^ c1 ^ k0;
        c1 = static_cast<u32>(second);
        c2 = static_cast<u32>(first >> 32) ^ c3 ^ k1;
        c3 = static_cast<u32>(first);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return {{c0, c1, c2, c3}};
}
