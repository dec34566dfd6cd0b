/*
 * crc.h - CRC-32 of ISO 3309 / IEEE 802.3 (polynomial 0xedb88320 reflected), without a table: the
 * records and frames it guards are short, and a bootloader has no kilobyte to spare.
 */
#ifndef MUE_CORE_CRC_H
#define MUE_CORE_CRC_H

#include <stddef.h>
#include <stdint.h>

/* Continues `crc` (0 to begin) over `len` bytes.  mue_crc32(0, "123456789", 9) is 0xcbf43926. */
uint32_t mue_crc32(uint32_t crc, const void *data, size_t len);

#endif
