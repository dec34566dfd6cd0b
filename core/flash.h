/*
 * flash.h - the storage port of core and boot: erase blocks, program units, byte reads.
 *
 * NOR rules hold: an erase sets a whole block to `erased`, a write only changes erased bytes.
 * Offsets are relative to the port's own region.  Every call blocks until the operation is in
 * the medium; power may be cut inside any of them.  Members: boards/, host/flash_file.c,
 * sim/flash_sim.c (NOR rules asserted, power cuts).  tests/sim runs one conformance test over all.
 */
#ifndef MUE_CORE_FLASH_H
#define MUE_CORE_FLASH_H

#include <stdint.h>

struct mue_flash;

struct mue_flash_ops {
	/* Reads `len` bytes at `off` into `buf`.  0 or MUE_EIO. */
	int (*read)(const struct mue_flash *f, uint32_t off, void *buf, uint32_t len);
	/* Writes `len` bytes; `off` and `len` are multiples of write_size, and the range is erased.
	 */
	int (*write)(const struct mue_flash *f, uint32_t off, const void *buf, uint32_t len);
	/* Erases the block of erase_size bytes that starts at `off`. */
	int (*erase)(const struct mue_flash *f, uint32_t off);
};

struct mue_flash {
	const struct mue_flash_ops *ops;
	void *ctx;           /* the member's own */
	uint32_t size;       /* bytes in the region, a multiple of erase_size */
	uint32_t erase_size; /* bytes in an erase block */
	uint16_t write_size; /* bytes in a program unit: 1, 2, 4 ... 256 */
	uint8_t erased;      /* value of an erased byte, 0xff on NOR */
};

#endif
