/* Values that name themselves: all bytes follow from a number that is given out once. */
#ifndef RK_LINEAR_VALUE_H
#define RK_LINEAR_VALUE_H

#include <stddef.h>
#include <stdint.h>

#define LINEAR_VALUE_BYTES_MAX 300000u

/* Writes the value of this number (not 0); its size. */
size_t linear_value_make(uint64_t number, uint8_t *bytes);

/* The number of this value; 0: no value of ours, or not all of it. */
uint64_t linear_value_read(const void *bytes, size_t size);

#endif
