/* A fuzz target: any bytes, and whatever holds for all of them. */
#ifndef RK_TEST_FUZZ_H
#define RK_TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's entry. Aborts on a violation; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#endif
