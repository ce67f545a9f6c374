/* CRC-32C (Castagnoli; RFC 3720 appendix B.4: reflected, initial and final value all ones), computed by ISA-L with the
 * best instructions of the machine. */
#ifndef RK_BASE_CRC_H
#define RK_BASE_CRC_H

#include <stddef.h>
#include <stdint.h>

/* The CRC of size bytes that follow bytes whose CRC is crc (0 for none): pieces in order give the CRC of the whole.
 * Any thread. */
uint32_t rk_crc32c(uint32_t crc, const void *bytes, size_t size);

#endif
