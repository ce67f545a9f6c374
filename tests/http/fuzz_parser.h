#ifndef RK_TEST_FUZZ_PARSER_H
#define RK_TEST_FUZZ_PARSER_H

#include <stddef.h>
#include <stdint.h>

/* Aborts on a violation; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#endif
