/* fuzz_packets.h - for targets whose input is a sequence of KLV packets. */
#ifndef FUZZ_PACKETS_H
#define FUZZ_PACKETS_H

#include "fuzz.h"
#include "klv_mutator.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t most, unsigned seed)
{
    return mutate_klv(data, n, most, seed);
}

#endif
